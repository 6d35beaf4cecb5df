import { createPublicKey } from 'node:crypto';
import type { SectionReader } from '../../core/config.ts';
import { userId } from '../../system/accounts/database.ts';
import { readNamedFile } from '../../system/files/read-named-file.ts';
import type { MysqlEndpoint } from './hosts.ts';

/** Reads `socket_owner`, a user by name (passwd(5)) or number; undefined where absent or, which is a problem, unknown. */
export function parseSocketOwner(section: SectionReader, endpoints: readonly MysqlEndpoint[]): number | undefined {
  const user = section.text('socket_owner');
  if (user === undefined) return undefined;
  if (!endpoints.some(({ kind }) => kind === 'socket'))
    section.warning('socket_owner', 'has no effect: no host is reached by a Unix socket');
  const uid = userId(user);
  if (uid === undefined)
    section.problem(
      'socket_owner',
      `cannot be used (expected the name of a user in /etc/passwd, or a user's number, got "${user}")`,
    );
  return uid;
}

/** Reads the file that `server_public_key` names: PEM, a key of RSA; undefined where absent or, which is a problem, something else. */
export function parsePublicKey(
  section: SectionReader,
  {
    ssl,
    endpoints,
    env,
  }: { readonly ssl: string; readonly endpoints: readonly MysqlEndpoint[]; readonly env: NodeJS.ProcessEnv },
): string | undefined {
  const key = 'server_public_key';
  const pem = readNamedFile(section, key, env, { secret: false });
  if (pem === undefined) return undefined;
  if (ssl !== 'off')
    section.warning(key, `has no effect with ssl = ${ssl}: over TLS a server takes no password that is sealed by a key`);
  else if (!endpoints.some(({ kind }) => kind === 'tcp')) section.warning(key, 'has no effect: no host is reached by TCP');
  if (isPublicRsaKey(pem)) return pem;
  section.problem(
    key,
    'cannot be used (expected a public key of RSA in PEM, as public_key.pem in the data folder of the server)',
  );
  return undefined;
}

function isPublicRsaKey(pem: string): boolean {
  // From a private key a public one could be made; but what is that one doing here?
  if (pem.includes('PRIVATE KEY')) return false;
  try {
    return createPublicKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
