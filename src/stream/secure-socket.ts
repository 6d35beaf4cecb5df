import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/** PEM of a server's certificate, with those in between, and its key. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** Makes the server's end of TLS 1.2 or later on connections. Throws where the two cannot be used together. */
export function createSecure({ cert, key }: TlsIdentity): (raw: Socket) => Socket {
  const secureContext = createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  return (raw) => new TLSSocket(raw, { isServer: true, secureContext });
}
