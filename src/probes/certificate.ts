// Judges TLS connections and their certificates.
import type { TLSSocket } from 'node:tls';

/**
 * What is found about a certificate: why it is worth a warning, or null if it is not; undefined if there was none to look at, or if it does
 * not matter.
 */
export type CertificateWarning = string | null | undefined;

/**
 * Why the certificate of the other side is worth a warning: it ends within `days`; undefined if `days` is 0. `host`: who showed it. Only
 * the certificate itself counts, not those of its authorities.
 */
export function certificateWarning(socket: TLSSocket, host: string, days: number): CertificateWarning {
  if (days === 0) return undefined;
  const end = Date.parse(socket.getPeerX509Certificate()?.validTo ?? '');
  if (Number.isNaN(end)) return undefined;
  if (end - Date.now() >= days * DAY_MS) return null;
  return `the certificate of ${host} ${end < Date.now() ? 'ended' : 'ends'} on ${new Date(end).toISOString().slice(0, 10)}`;
}

/** What is found about both certificates. */
export function ofBoth(one: CertificateWarning, other: CertificateWarning): CertificateWarning {
  return typeof one === 'string' || other === undefined ? one : other;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Why a connection failed, in words if it is because of TLS or the certificate of `host`; undefined if it is because of something else. */
export function tlsFault(code: string, host: string): string | undefined {
  const words = FAULTS[code];
  if (words !== undefined) return `the certificate of ${host} ${words}`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return `the TLS handshake failed (${code})`;
  return /^CERT_/.test(code) ? `the certificate of ${host} is not valid (${code})` : undefined;
}

const FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by an unknown authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another host',
};
