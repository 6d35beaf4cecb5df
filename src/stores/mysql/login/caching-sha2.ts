import { createHash } from 'node:crypto';
import { type LoginCircumstances, type LoginPlugin, nonceOf, remedies, unproved } from './plugin.ts';
import { plainPassword, sealedPassword } from './sealed.ts';

/**
 * caching_sha2_password, the default of MySQL since 8.0. A server that remembers the password accepts an answer that does not
 * contain it; one that does not remember it wants the password itself. We send it if the server is proved, or encrypted with a
 * key that is known to belong to the server; we never ask the server for a key. Source: MySQL, sql/auth/sha2_password.cc.
 */
export const cachingSha2: LoginPlugin = (circumstances) => {
  const { password } = circumstances.login;
  let nonce: Buffer | undefined;
  return (data) => {
    if (nonce === undefined) {
      nonce = nonceOf(data);
      if (password === '') return Buffer.alloc(0);
      warn(circumstances);
      return proof(password, nonce);
    }
    if (data.equals(PASSED)) return null;
    if (data.equals(WANTS_PASSWORD)) return wholePassword(circumstances, nonce);
    throw new Error('it sent an unexpected message in a login by caching_sha2_password');
  };
};

const PASSED = Buffer.of(3);
const WANTS_PASSWORD = Buffer.of(4);

/** Also when the login succeeds: a server that restarts forgets what it remembered. */
function warn({ login, channel, caution }: LoginCircumstances): void {
  const way = channel();
  if (way.proved || (login.publicKey !== undefined && !way.encrypted)) return;
  caution(
    `the account "${login.user}" logs in by caching_sha2_password ${unproved(way)}: this works only while the server remembers the ` +
      `password; after a restart of the server the login fails (expected ${remedies(way)})`,
  );
}

/** XOR(SHA256(password), SHA256(SHA256(SHA256(password)), nonce)). */
function proof(password: string, nonce: Buffer): Buffer {
  const once = sha256(Buffer.from(password, 'utf8'));
  const mask = sha256(sha256(once), nonce);
  return Buffer.from(once.map((byte, i) => byte ^ (mask[i] ?? 0)));
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function wholePassword({ login, channel }: LoginCircumstances, nonce: Buffer): Buffer {
  const way = channel();
  if (way.proved) return plainPassword(login.password);
  if (login.publicKey !== undefined && !way.encrypted) return sealedPassword(login.password, nonce, login.publicKey);
  throw new Error(
    `the account "${login.user}" logs in by caching_sha2_password, for which the server wants the password now; ${unproved(way)} it is ` +
      `not sent (expected ${remedies(way)})`,
  );
}
