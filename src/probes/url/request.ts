// One HTTP request and its answer; redirects are answers like any other.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { SecureContext, TLSSocket } from 'node:tls';
import { printable } from '../../core/text/printable.ts';
import { request as requestHttp } from '../../system/builtin-http.ts';
import { knownAddresses } from '../../system/names/connect.ts';
import type { NameResolver } from '../../system/names/resolver.ts';
import { certificateWarning, tlsFault } from '../certificate.ts';
import { errorCode, isOwnFault } from '../error-code.ts';
import { findHost } from '../find-host.ts';
import type { Answer } from '../worker/answer.ts';
import { type Body, ENCODINGS, readBody } from './body.ts';
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
  /** Why the certificate is worth a warning. */
  readonly warning: string | undefined;
  /** Reads the body. Must be called, or `close`. */
  body(): Promise<Body>;
  close(): void;
}

/** How a request is sent. */
interface RequestLimits extends Pick<UrlWork, 'verify' | 'certificateDays' | 'family'> {
  readonly names: NameResolver;
  readonly leftMs: () => number;
  readonly signal: AbortSignal;
}

/** Sends one request; if there is no answer, returns why, or undefined once `signal` aborts. Never rejects. */
export async function sendRequest(request: Request, limits: RequestLimits): Promise<HttpAnswer | Answer | undefined> {
  const { url } = request;
  const { names, family, leftMs, signal } = limits;
  // TLS costs megabytes: only a request for an https URL loads it.
  const send = url.protocol === 'https:' ? (await import('node:https')).request : requestHttp;
  const host = url.hostname;
  const found = await findHost(names, host, leftMs(), signal);
  if (signal.aborted) return undefined;
  if (found.kind === 'not_proved') return { kind: 'unknown', reason: `${found.reason}: ${found.detail}` };
  if (found.kind !== 'found') return undefined;
  const addresses = found.addresses.filter((one) => family === 0 || one.family === family);
  if (addresses.length === 0) return { kind: 'unknown', reason: `${host} has no IPv${family} address` };
  return await new Promise((resolve) => {
    let sent: ClientRequest | undefined;
    const close = (): void => void sent?.destroy();
    signal.addEventListener('abort', close, { once: true });
    const fail = (error: Error): void => resolve(signal.aborted ? undefined : faultOf(error, host));
    const answer = (response: IncomingMessage): void => resolve(answered(response, request, limits, close));
    try {
      const { method, auth, secureContext, body } = request;
      sent = send(
        url,
        {
          agent: false,
          method,
          headers: headersOf(request),
          lookup: knownAddresses(addresses),
          // Stated explicitly: an environment variable can turn it off.
          rejectUnauthorized: limits.verify,
          ...(auth === undefined ? {} : { auth }),
          ...(secureContext === undefined ? {} : { secureContext }),
        } satisfies Parameters<typeof send>[1] & { rejectUnauthorized: boolean; secureContext?: SecureContext },
        answer,
      );
      let interim = 0;
      sent.on('information', () => {
        if (++interim <= MOST_INTERIM) return;
        fail(new Error(`more than ${MOST_INTERIM} interim answers (1xx)`));
        close();
      });
      sent.on('error', fail).on('close', () => fail(new Error('the connection was closed without an answer')));
      sent.end(body);
    } catch (error) {
      fail(error as Error);
    }
  });
}

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
    warning:
      url.protocol === 'https:' ? certificateWarning(response.socket as TLSSocket, url.hostname, certificateDays) : undefined,
    body: () => readBody(response),
    close,
  };
}

function headersOf({ headers, body }: Request): Record<string, string> {
  const all = new Map<string, readonly [string, string]>();
  const own = [
    ['Accept', '*/*'],
    ['Accept-Encoding', ENCODINGS],
    ['User-Agent', 'monitor_service'],
    ...(body === undefined ? [] : [['Content-Length', String(body.length)] as const]),
  ] as const;
  for (const [name, value] of [...own, ...headers]) all.set(name.toLowerCase(), [name, value]);
  return Object.fromEntries(all.values());
}
