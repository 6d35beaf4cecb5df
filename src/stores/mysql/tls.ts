import { isIP } from 'node:net';
import type { MysqlEndpoint } from './hosts.ts';
import type { MysqlOptions } from './options.ts';

/** What mysql2 is told of encryption: nothing with `ssl = off`, and then it uses none. */
interface TlsOptions {
  readonly ssl?: {
    readonly rejectUnauthorized: boolean;
    readonly verifyIdentity: boolean;
    readonly minVersion: 'TLSv1.2';
    readonly ca?: string;
  };
  /** The name that the server's certificate has to prove. */
  readonly host?: string;
}

/** The options of `ssl` for a server at `endpoint`; of one behind a Unix socket the certificate is checked, and no name: it has none. */
export function tlsOptions(endpoint: MysqlEndpoint, { ssl, ca }: MysqlOptions): TlsOptions {
  if (ssl === 'off') return {};
  const verify = ssl === 'verify';
  const verifyIdentity = verify && endpoint.kind === 'tcp';
  return {
    ssl: { rejectUnauthorized: verify, verifyIdentity, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    ...(endpoint.kind === 'tcp' ? { host: provenName(endpoint.host) } : {}),
  };
}

/**
 * mysql2 keeps an IP address from the check of the name, which would then accept a certificate for "localhost". With a closing dot
 * it does not, and the check takes the dot off again (tls.checkServerIdentity).
 */
function provenName(host: string): string {
  return isIP(host) ? `${host}.` : host;
}
