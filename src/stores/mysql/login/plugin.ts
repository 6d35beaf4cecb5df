import type { Channel } from './channel.ts';

/** The account, and the public key that is known to belong to the server. */
export interface Login {
  readonly user: string;
  readonly password: string;
  /** The content of `server_public_key`, PEM. */
  readonly publicKey: string | undefined;
}

/** What a plugin knows besides the server's messages. */
export interface LoginCircumstances {
  readonly login: Login;
  /** The state of the connection now. */
  channel(): Channel;
  /** Gets, in one line, why the login may fail the next time. */
  caution(text: string): void;
}

/**
 * One login method: returns the answer to the server's challenge (20 bytes and a NUL), then to each further message of it;
 * null: no answer. Throws an Error whose message is for people.
 */
export type LoginPlugin = (circumstances: LoginCircumstances) => (data: Buffer) => Buffer | null;

/** The relevant bytes of a challenge; throws if there are fewer. */
export function nonceOf(data: Buffer): Buffer {
  if (data.length < NONCE_BYTES) throw new Error(`its challenge has ${data.length} bytes (expected ${NONCE_BYTES})`);
  return Buffer.from(data.subarray(0, NONCE_BYTES));
}

const NONCE_BYTES = 20;

/**
 * What to change if the password must not go over a channel; a public key helps only if the server would accept what it
 * encrypts.
 */
export function remedies({ encrypted }: Channel): string {
  const key = encrypted ? '' : 'server_public_key, ';
  return `ssl = verify with ssl_ca, ${key}the server's Unix socket, or an account by mysql_native_password`;
}

/** The words for a channel that is not proved. */
export function unproved({ encrypted }: Channel): string {
  return encrypted ? 'over TLS without a verified certificate' : 'over TCP without verified TLS';
}
