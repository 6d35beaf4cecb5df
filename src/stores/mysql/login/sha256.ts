import { type LoginPlugin, nonceOf, remedies, unproved } from './plugin.ts';
import { plainPassword, sealedPassword } from './sealed.ts';

/**
 * sha256_password, of MySQL 5.6 to 8: the server always wants the password itself, plain over TLS, otherwise encrypted. We send
 * it if the server is proved, or encrypted with a key that is known to belong to the server; we ask only the proved peer of a
 * Unix socket for a key. Source: MySQL, sql-common/client_authentication.cc.
 */
export const sha256Password: LoginPlugin = ({ login, channel }) => {
  let nonce: Buffer | undefined;
  return (data) => {
    if (nonce !== undefined) return sealedPassword(login.password, nonce, data);
    const way = channel();
    if (login.password === '') return Buffer.of(0);
    if (way.proved && way.encrypted) return plainPassword(login.password);
    const challenge = nonceOf(data);
    if (way.proved) {
      nonce = challenge;
      return KEY_WANTED;
    }
    if (login.publicKey !== undefined && !way.encrypted) return sealedPassword(login.password, challenge, login.publicKey);
    throw new Error(
      `the account "${login.user}" logs in by sha256_password, for which the password is sent; ${unproved(way)} it is not sent ` +
        `(expected ${remedies(way)})`,
    );
  };
};

const KEY_WANTED = Buffer.of(1);
