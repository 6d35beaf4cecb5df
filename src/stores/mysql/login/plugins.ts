// The login methods that are offered to mysql2.
import { printable } from '../../../core/text/printable.ts';
import { cachingSha2 } from './caching-sha2.ts';
import type { Channel } from './channel.ts';
import type { Login, LoginPlugin } from './plugin.ts';
import { sha256Password } from './sha256.ts';

/** A plugin in the form that mysql2 calls. */
type DriverPlugin = (login: { readonly connection: unknown }) => (data: Buffer) => Buffer | null;

/**
 * The table in which mysql2 looks up the plugin that a server asks for. It has an entry for every name, so that no plugin of
 * mysql2 itself ever sees the password, except mysql_native_password, whose answer does not contain it. `channel`: the state of
 * a connection's stream.
 */
export function loginPlugins(
  login: Login,
  channel: (stream: unknown) => Channel,
  caution: (text: string) => void,
): Record<string, DriverPlugin> {
  const pluginOf = (name: string): DriverPlugin => {
    const plugin = SUPPORTED[name] ?? unsupported(name);
    return ({ connection }) => {
      // Read at each call: TLS is another stream.
      const now = (): Channel => channel((connection as { readonly stream: unknown }).stream);
      return plugin({ login, caution, channel: now });
    };
  };
  const nobody: Record<string, DriverPlugin> = {};
  return new Proxy(nobody, {
    getOwnPropertyDescriptor: (_, name) =>
      name === NATIVE ? undefined : { configurable: true, enumerable: true, value: pluginOf(String(name)) },
    get: (_, name) => (name === NATIVE ? undefined : pluginOf(String(name))),
  });
}

const NATIVE = 'mysql_native_password';

const SUPPORTED: Readonly<Record<string, LoginPlugin>> = Object.assign(Object.create(null), {
  caching_sha2_password: cachingSha2,
  sha256_password: sha256Password,
});

function unsupported(name: string): LoginPlugin {
  return ({ login }) =>
    () => {
      const means = MEANINGS[name];
      const shown = `${JSON.stringify(printable(name.slice(0, 64)))}${means === undefined ? '' : ` (${means})`}`;
      throw new Error(
        `it wants the account "${login.user}" to log in by ${shown}, which monitor_service does not support: nothing was sent ` +
          '(expected an account by mysql_native_password, unix_socket or auth_socket, or caching_sha2_password)',
      );
    };
}

/** What the plugins are, if administrators know them by another name. Source: MariaDB and MySQL references. */
const MEANINGS: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  '': 'the hash of MySQL before 4.1',
  mysql_old_password: 'the hash of MySQL before 4.1',
  mysql_clear_password: 'the password in the clear: PAM, LDAP',
  dialog: 'PAM',
  client_ed25519: 'ed25519',
  parsec: 'PARSEC',
  auth_gssapi_client: 'Kerberos',
  authentication_kerberos_client: 'Kerberos',
  authentication_ldap_sasl_client: 'LDAP',
  authentication_fido_client: 'FIDO',
  authentication_webauthn_client: 'WebAuthn',
});
