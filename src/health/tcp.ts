// The TCP health check.
import { connect } from 'node:net';
import type { SectionReader } from '../core/config.ts';
import type { CheckResult, HealthResult } from '../core/outcomes.ts';
import { withinWords } from '../core/text/duration.ts';
import { hostPortName, parseHostPort } from '../core/text/host-port.ts';
import { knownAddresses } from '../system/names/connect.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import { errorCode } from './error-code.ts';
import { findHost } from './find-host.ts';
import type { HealthCheckDefinition } from './health-check.ts';

/** The options that the TCP check reads from `[process.NAME]`. */
interface TcpCheckOptions {
  readonly host: string;
  readonly port: number;
}

/** `health_check_tcp` host:port or [IPv6]:port: healthy if a connection is established; nothing is sent. */
export const tcpCheck = {
  parse: (section) => {
    const text = section.text('health_check_tcp');
    return text === undefined ? undefined : parseAddress(section, text);
  },
  create: (options: TcpCheckOptions, { names }) => ({
    description: `health_check_tcp ${hostPortName(options)}`,
    check: (_process, _attempt, timeoutMs, signal) => tryConnect(options, names, timeoutMs, signal),
  }),
} satisfies HealthCheckDefinition<TcpCheckOptions>;

function parseAddress(section: SectionReader, text: string): TcpCheckOptions | undefined {
  const { host, port } = parseHostPort(text) ?? {};
  if (host !== undefined && port !== undefined) return { host, port };
  section.problem('health_check_tcp', `invalid value "${text}", expected HOST:PORT or [IPv6]:PORT`);
  return undefined;
}

async function tryConnect(
  { host, port }: TcpCheckOptions,
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
