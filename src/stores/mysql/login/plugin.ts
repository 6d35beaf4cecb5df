import type { Channel } from './channel.ts';

/** The account, and the key that is known to be the server's. */
export interface Login {
  readonly user: string;
  readonly password: string;
  /** The content of `server_public_key`, PEM. */
  readonly publicKey: string | undefined;
}

/** What a plugin learns beside what the server says. */
export interface LoginCircumstances {
  readonly login: Login;
  /** What the connection is now. */
  channel(): Channel;
  /** Hears, in one line, that the login may not work the next time. */
  caution(text: string): void;
}

/**
 * One way to log in: what is answered to the server's challenge (20 bytes and a NUL), then to each further word of it; null: nothing.
 * Throws an Error whose message is for people.
 */
export type LoginPlugin = (circumstances: LoginCircumstances) => (data: Buffer) => Buffer | null;

/** The bytes of a challenge that count; throws where there are fewer. */
export function nonceOf(data: Buffer): Buffer {
  if (data.length < NONCE_BYTES) throw new Error(`its challenge has ${data.length} bytes (expected ${NONCE_BYTES})`);
  return Buffer.from(data.subarray(0, NONCE_BYTES));
}

const NONCE_BYTES = 20;

/** What helps where the password must not go through a channel; a public key only where the server would take what it seals. */
export function cures({ encrypted }: Channel): string {
  const key = encrypted ? '' : 'server_public_key, ';
  return `ssl = verify with ssl_ca, ${key}the server's Unix socket, or an account by mysql_native_password`;
}

/** What a channel that is not proved is called. */
export function unproved({ encrypted }: Channel): string {
  return encrypted ? 'over TLS without a verified certificate' : 'over TCP without verified TLS';
}
