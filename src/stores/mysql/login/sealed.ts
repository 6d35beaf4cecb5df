import { constants, publicEncrypt } from 'node:crypto';

/**
 * The password encrypted with `publicKey`, as caching_sha2_password and sha256_password want it if the connection itself is not
 * secret. Source: MySQL, sql-common/client_authentication.cc.
 */
export function sealedPassword(password: string, nonce: Buffer, publicKey: string | Buffer): Buffer {
  const plain = plainPassword(password);
  const mixed = plain.map((byte, i) => byte ^ (nonce[i % nonce.length] ?? 0));
  return publicEncrypt({ key: publicKey, oaepHash: 'sha1', padding: constants.RSA_PKCS1_OAEP_PADDING }, mixed);
}

/** The password as it is sent over a secure channel. */
export function plainPassword(password: string): Buffer {
  return Buffer.from(`${password}\0`, 'utf8');
}
