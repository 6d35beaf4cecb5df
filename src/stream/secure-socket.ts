// TLS for the event stream.

import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/** PEM of a server's certificate with its intermediate certificates, and its key. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/**
 * Returns a function that makes a connection the server's end of TLS 1.2 or later. Throws if certificate and key do not belong
 * together.
 */
export function createSecure({ cert, key }: TlsIdentity): (raw: Socket) => Socket {
  const secureContext = createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  return (raw) => new TLSSocket(raw, { isServer: true, secureContext });
}
