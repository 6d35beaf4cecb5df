// One try of a TCP connection.
import { connect } from 'node:net';
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
export async function tryTcp(
  { host, port }: HostAndPort,
  names: NameResolver,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  const end = performance.now() + timeoutMs;
  const found = await findHost(names, host, timeoutMs, signal);
  if (found.kind !== 'found') return found;
  return await new Promise((resolve) => {
    const socket = connect({ host, port, lookup: knownAddresses(found.addresses) });
    const finish = (result: HealthResult): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(result);
    };
    const unhealthy = (reason: string): void => finish({ kind: 'unhealthy', reason });
    const abort = (): void => unhealthy('aborted');
    const timer = setTimeout(() => unhealthy(`no connection ${withinWords(timeoutMs)}`), end - performance.now());
    socket.on('connect', () => {
      // If nobody listens on a port of the ephemeral range, the kernel may connect the socket to itself.
      const toItself = socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
      if (toItself) unhealthy('nobody listens there');
      else finish({ kind: 'healthy' });
    });
    socket.on('error', (error) => unhealthy(errorCode(error)));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
