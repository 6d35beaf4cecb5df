import { constants, publicEncrypt } from 'node:crypto';

/**
 * The password for a server that has the private part of `publicKey`, as caching_sha2_password and sha256_password want it where the
 * connection itself is not secret. Source: MySQL, sql-common/client_authentication.cc.
 */
export function sealedPassword(password: string, nonce: Buffer, publicKey: string | Buffer): Buffer {
  const plain = plainPassword(password);
  const mixed = plain.map((byte, i) => byte ^ (nonce[i % nonce.length] ?? 0));
  return publicEncrypt({ key: publicKey, oaepHash: 'sha1', padding: constants.RSA_PKCS1_OAEP_PADDING }, mixed);
}

/** The password as it goes over a channel that needs no more. */
export function plainPassword(password: string): Buffer {
  return Buffer.from(`${password}\0`, 'utf8');
}
