import type { MysqlEndpoint } from '../endpoints.ts';
import type { MysqlOptions } from '../options.ts';

/** How safe a connection is for a secret. */
export interface Channel {
  /** The server is the expected one: the peer of a Unix socket (connectToServer), or proved by its certificate. */
  readonly proved: boolean;
  /** The connection uses TLS, whoever is at its other end. */
  readonly encrypted: boolean;
}

/** The state of `stream`, on which mysql2 talks to `endpoint`, at this moment: a server may ask before TLS has begun. */
export function channelOf(stream: unknown, endpoint: MysqlEndpoint, { ssl }: Pick<MysqlOptions, 'ssl'>): Channel {
  // Not an import: node:tls is large, and no login on a Unix socket without TLS needs it.
  const encrypted = stream instanceof process.getBuiltinModule('node:tls').TLSSocket;
  const verified = ssl === 'verify' && encrypted && stream.authorized;
  return { proved: endpoint.kind === 'socket' || verified, encrypted };
}
