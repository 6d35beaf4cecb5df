// Judges TLS connections and their certificates.
import type { TLSSocket } from 'node:tls';

/**
 * Why the certificate of the other side is worth a warning: it ends within `days`; undefined if it does not, or if `days` is 0. `host`: who
 * showed it. Only the certificate itself counts, not those of its authorities.
 */
export function certificateWarning(socket: TLSSocket, host: string, days: number): string | undefined {
  if (days === 0) return undefined;
  const end = Date.parse(socket.getPeerX509Certificate()?.validTo ?? '');
  if (Number.isNaN(end) || end - Date.now() >= days * DAY_MS) return undefined;
  return `the certificate of ${host} ${end < Date.now() ? 'ended' : 'ends'} on ${new Date(end).toISOString().slice(0, 10)}`;
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
