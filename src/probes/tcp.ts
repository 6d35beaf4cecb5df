// One try of a TCP connection.
import { connect, type Socket } from 'node:net';
import type { SectionReader } from '../core/config.ts';
import type { CheckResult, HealthResult } from '../core/outcomes.ts';
import { withinWords } from '../core/text/duration.ts';
import { parseHostPort } from '../core/text/host-port.ts';
import { knownAddresses } from '../system/names/connect.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import { errorCode } from './error-code.ts';
import { findHost } from './find-host.ts';

/** An address to connect to. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Reads an address with host and port; undefined if there is none, or none that can be used. Problems go to the reader. */
export function parseAddress(section: SectionReader, key: string): HostAndPort | undefined {
  const text = section.text(key);
  if (text === undefined) return undefined;
  const { host, port } = parseHostPort(text) ?? {};
  if (host !== undefined && port !== undefined) return { host, port };
  section.problem(key, `invalid value "${text}", expected HOST:PORT or [IPv6]:PORT`);
  return undefined;
}

/** Opens one TCP connection: healthy if it is established; nothing is sent. Never rejects. */
export function tryTcp(place: HostAndPort, names: NameResolver, timeoutMs: number, signal: AbortSignal): Promise<CheckResult> {
  return withConnection(place, names, timeoutMs, signal, (_socket, finish) => finish({ kind: 'healthy' }));
}

/**
 * Opens one TCP connection, and calls `talk` once it is established, which calls `finish` with the result. The connection is then closed.
 * Never rejects.
 */
export async function withConnection<R = never>(
  { host, port }: HostAndPort,
  names: NameResolver,
  timeoutMs: number,
  signal: AbortSignal,
  talk: (socket: Socket, finish: (result: HealthResult | R) => void) => void,
): Promise<CheckResult | R> {
  const end = performance.now() + timeoutMs;
  const found = await findHost(names, host, timeoutMs, signal);
  if (found.kind !== 'found') return found;
  return await new Promise((resolve) => {
    const socket = connect({ host, port, lookup: knownAddresses(found.addresses) });
    let late = 'no connection';
    const finish = (result: HealthResult | R): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(result);
    };
    const unhealthy = (reason: string): void => finish({ kind: 'unhealthy', reason });
    const abort = (): void => unhealthy('aborted');
    const timer = setTimeout(() => unhealthy(`${late} ${withinWords(timeoutMs)}`), end - performance.now());
    socket.on('connect', () => {
      // If nobody listens on a port of the ephemeral range, the kernel may connect the socket to itself.
      const toItself = socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
      late = 'no complete answer';
      if (toItself) unhealthy('nobody listens there');
      else talk(socket, finish);
    });
    socket.on('error', (error) => unhealthy(errorCode(error)));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
