// A connection to an https server through a proxy.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { withinWords } from '../../core/text/duration.ts';
import { printable } from '../../core/text/printable.ts';
import { request } from '../../system/builtin-http.ts';
import type { HostAddress } from '../../system/names/address.ts';
import { knownAddresses } from '../../system/names/connect.ts';
import { errorCode } from '../error-code.ts';
import type { Answer } from '../worker/answer.ts';
import type { HttpProxy } from './proxy.ts';

/** What a tunnel needs. */
interface TunnelOptions {
  /** Those of the proxy. */
  readonly addresses: readonly HostAddress[];
  readonly leftMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * Has the proxy connect to the host of `url`. What keeps it from doing so is unknown: it says nothing about that host. The socket is
 * destroyed when `signal` aborts. Never rejects.
 */
export async function openTunnel(
  url: URL,
  proxy: HttpProxy,
  { addresses, leftMs, signal }: TunnelOptions,
): Promise<{ readonly kind: 'open'; readonly socket: Socket } | Extract<Answer, { kind: 'unknown' }>> {
  const waitsMs = leftMs();
  return await new Promise((resolve) => {
    let sent: ClientRequest | undefined;
    let isOpen = false;
    const fail = (words: string): void => {
      // The request is closed once its socket is somebody else's.
      if (isOpen) return;
      resolve({ kind: 'unknown', reason: proxyFault(proxy, words) });
      sent?.destroy();
    };
    const abort = (): void => fail(`has not connected ${withinWords(waitsMs)}`);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const place = `${url.hostname}:${url.port || HTTPS_PORT}`;
      const headers = { Host: place, 'User-Agent': 'monitor_service', ...proxyHeaders(proxy) };
      const { host, port } = proxy;
      const lookup = knownAddresses(addresses);
      sent = request({ agent: false, method: 'CONNECT', host, port, path: place, headers, lookup });
      sent.on('connect', ({ statusCode = 0 }: IncomingMessage, socket: Socket, first: Buffer) => {
        if (statusCode < 200 || statusCode > 299) {
          socket.destroy();
          fail(`answers with status ${statusCode}`);
          return;
        }
        isOpen = true;
        signal.removeEventListener('abort', abort);
        signal.addEventListener('abort', () => socket.destroy(), { once: true });
        // Whoever uses it next has its own listener, but not at once.
        socket.on('error', () => {});
        if (first.length > 0) socket.unshift(first);
        if (signal.aborted) socket.destroy();
        resolve({ kind: 'open', socket });
      });
      sent.on('error', (error) => fail(printable(errorCode(error)))).on('close', () => fail('closed the connection'));
      sent.end();
    } catch (error) {
      fail(printable(errorCode(error as Error)));
    }
  });
}

const HTTPS_PORT = 443;

/** Why a proxy is of no use, in one line. */
export function proxyFault({ name }: HttpProxy, words: string): string {
  return `proxy ${name}: ${words}`;
}

/** The headers that only the proxy may see. */
export function proxyHeaders({ authorization }: HttpProxy): Record<string, string> {
  return authorization === undefined ? {} : { 'Proxy-Authorization': authorization };
}
