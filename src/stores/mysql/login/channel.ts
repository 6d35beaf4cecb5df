import type { MysqlEndpoint } from '../endpoints.ts';
import type { MysqlOptions } from '../options.ts';

/** What a connection is to a secret that would go through it. */
export interface Channel {
  /** The server is who it should be: the peer of a Unix socket (connectToServer), or by its certificate. */
  readonly proved: boolean;
  /** TLS, whoever may be at its other end. */
  readonly encrypted: boolean;
}

/** What `stream`, on which mysql2 speaks to `endpoint`, is at this moment: a server may ask before TLS has begun. */
export function channelOf(stream: unknown, endpoint: MysqlEndpoint, { ssl }: Pick<MysqlOptions, 'ssl'>): Channel {
  // Not an import: node:tls is large, and no login needs it on a Unix socket without TLS.
  const encrypted = stream instanceof process.getBuiltinModule('node:tls').TLSSocket;
  const verified = ssl === 'verify' && encrypted && stream.authorized;
  return { proved: endpoint.kind === 'socket' || verified, encrypted };
}
