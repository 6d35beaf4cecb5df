// One HTTP request and its answer; redirects are answers like any other.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { SecureContext, TLSSocket } from 'node:tls';
import { printable } from '../../core/text/printable.ts';
import { request as requestHttp } from '../../system/builtin-http.ts';
import { type CertificateWarning, certificateWarning, tlsFault } from '../certificate.ts';
import { errorCode, isOwnFault } from '../error-code.ts';
import type { Answer } from '../worker/answer.ts';
import { type Body, ENCODINGS, readBody } from './body.ts';
import type { HttpProxy } from './proxy.ts';
import { proxyFault } from './tunnel.ts';
import { type RequestLimits, wayTo } from './way.ts';
import type { UrlWork } from './work.ts';

/** What is sent in one request. */
export interface Request {
  readonly url: URL;
  readonly method: string;
  readonly headers: UrlWork['headers'];
  readonly body: Buffer | undefined;
  readonly auth: string | undefined;
  /** The operator's authorities and own certificate; undefined: the usual authorities. */
  readonly secureContext: SecureContext | undefined;
}

/** An answer whose head has come. */
export interface HttpAnswer {
  readonly kind: 'answered';
  readonly status: number;
  readonly location: string | undefined;
  readonly certificate: CertificateWarning;
  /** Reads the body. Must be called, or `close`. */
  body(): Promise<Body>;
  close(): void;
}

/** Sends one request; if there is no answer, returns why, or undefined once `signal` aborts. Never rejects. */
export async function sendRequest(request: Request, limits: RequestLimits): Promise<HttpAnswer | Answer | undefined> {
  const { url, method, auth, secureContext, body } = request;
  const { signal } = limits;
  // TLS costs megabytes: only a request for an https URL loads it.
  const send = url.protocol === 'https:' ? (await import('node:https')).request : requestHttp;
  const way = await wayTo(url, secureContext, limits);
  if (way?.kind !== 'way') return way;
  const { proxy } = way;
  return await new Promise((resolve) => {
    let sent: ClientRequest | undefined;
    let isConnected = false;
    const close = (): void => void sent?.destroy();
    signal.addEventListener('abort', close, { once: true });
    const fault = (error: Error): Answer =>
      proxy === undefined ? faultOf(error, url.hostname) : refusedBy(proxy, printable(errorCode(error)));
    const fail = (error: Error): void => {
      if (!signal.aborted) resolve(fault(error));
      else
        resolve(proxy === undefined || isConnected ? undefined : refusedBy(proxy, 'no connection in the time that was left'));
    };
    const answer = (response: IncomingMessage): void => {
      const isRefused = proxy !== undefined && response.statusCode === PROXY_LOGIN;
      resolve(isRefused ? refusedBy(proxy, `answers with status ${PROXY_LOGIN}`) : answered(response, request, limits, close));
      if (isRefused) close();
    };
    try {
      const headers = headersOf(request, way.headers);
      sent = send(url, { ...way.options, method, headers, ...(auth === undefined ? {} : { auth }) }, answer);
      let interim = 0;
      sent.on('information', () => {
        if (++interim <= MOST_INTERIM) return;
        fail(new Error(`more than ${MOST_INTERIM} interim answers (1xx)`));
        close();
      });
      sent.on('socket', (socket) => socket.once('connect', () => (isConnected = true)));
      sent.on('error', fail).on('close', () => fail(new Error('the connection was closed without an answer')));
      sent.end(body);
    } catch (error) {
      fail(error as Error);
    }
  });
}

/** A proxy that does not do its work says nothing about the host. */
function refusedBy(proxy: HttpProxy, words: string): Answer {
  return { kind: 'unknown', reason: proxyFault(proxy, words) };
}

/** 407 Proxy Authentication Required: only a proxy sends it. */
const PROXY_LOGIN = 407;

function faultOf(error: Error, host: string): Answer {
  const code = errorCode(error);
  if (isOwnFault(code)) return { kind: 'unknown', reason: code };
  return { kind: 'failing', reason: tlsFault(code, host) ?? (code === 'ECONNRESET' ? RESET : printable(code)) };
}

/** A server that sends them without end would keep us busy for ever. */
const MOST_INTERIM = 20;

/** Node has the same code for both. */
const RESET = 'the connection was reset or closed before the answer (ECONNRESET)';

function answered(
  response: IncomingMessage,
  { url }: Request,
  { certificateDays }: RequestLimits,
  close: () => void,
): HttpAnswer {
  return {
    kind: 'answered',
    status: response.statusCode ?? 0,
    location: response.headers.location,
    certificate:
      url.protocol === 'https:' ? certificateWarning(response.socket as TLSSocket, url.hostname, certificateDays) : undefined,
    body: () => readBody(response),
    close,
  };
}

function headersOf({ headers, body }: Request, needed: Readonly<Record<string, string>>): Record<string, string> {
  const all = new Map<string, readonly [string, string]>();
  const own = [
    ['Accept', '*/*'],
    ['Accept-Encoding', ENCODINGS],
    ['User-Agent', 'monitor_service'],
    ...Object.entries(needed),
    ...(body === undefined ? [] : [['Content-Length', String(body.length)] as const]),
  ] as const;
  for (const [name, value] of [...own, ...headers]) all.set(name.toLowerCase(), [name, value]);
  return Object.fromEntries(all.values());
}
