// One try of an HTTP request.
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { CheckResult, HealthResult } from '../core/outcomes.ts';
import { withinWords } from '../core/text/duration.ts';
import { quoted } from '../core/text/printable.ts';
import { request as requestHttp } from '../system/builtin-http.ts';
import { knownAddresses } from '../system/names/connect.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import { errorCode } from './error-code.ts';
import { findHost } from './find-host.ts';
import { KeptBytes } from './kept-bytes.ts';
import { matches } from './match.ts';

/** What an HTTP answer must be. */
export interface HttpExpectation {
  /** The status must lie in one of them. */
  readonly status: readonly StatusRange[];
  /** What the first 1 MiB of the body must contain or match; undefined: the body is not read. */
  readonly body: string | RegExp | undefined;
}

/** Status codes from the first to the last, both included. */
export type StatusRange = readonly [first: number, last: number];

/**
 * Sends one GET, and judges the answer. Redirects are answers like any other: they are not followed. Certificates are verified,
 * no proxy is used, and each try opens its own connection. Never rejects.
 */
export async function tryHttp(
  url: URL,
  expected: HttpExpectation,
  names: NameResolver,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  const end = performance.now() + timeoutMs;
  // TLS costs megabytes: only a check of an https URL loads it.
  const request = url.protocol === 'https:' ? (await import('node:https')).request : requestHttp;
  const found = await findHost(names, url.hostname, timeoutMs, signal);
  if (found.kind !== 'found') return found;
  const lookup = knownAddresses(found.addresses);
  return await new Promise((resolve) => {
    let sent: ClientRequest | undefined;
    const finish = (result: HealthResult): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      sent?.destroy();
      resolve(result);
    };
    const unhealthy = (reason: string): void => finish({ kind: 'unhealthy', reason });
    const abort = (): void => unhealthy('aborted');
    // An absolute limit: an answer that arrives byte by byte must not last for ever.
    const timer = setTimeout(() => unhealthy(`no complete answer ${withinWords(timeoutMs)}`), end - performance.now());
    signal.addEventListener('abort', abort, { once: true });
    try {
      sent = request(url, { ...REQUEST_OPTIONS, lookup }, (response) => judge(response, expected, finish));
    } catch (error) {
      unhealthy(errorCode(error as Error));
    }
    sent?.on('error', (error) => unhealthy(errorCode(error))).end();
  });
}

function judge(response: IncomingMessage, { status, body }: HttpExpectation, finish: (result: HealthResult) => void): void {
  const code = response.statusCode ?? 0;
  if (!status.some(([first, last]) => code >= first && code <= last)) finish({ kind: 'unhealthy', reason: `status ${code}` });
  else if (body === undefined) finish({ kind: 'healthy' });
  else readBody(response, (text) => finish(text === undefined ? BROKEN : judgeBody(text, body)));
}

const REQUEST_OPTIONS = {
  agent: false,
  headers: { Accept: '*/*', 'Accept-Encoding': 'identity', 'User-Agent': 'monitor_service' },
  // Stated explicitly: an environment variable can turn it off.
  rejectUnauthorized: true,
} satisfies RequestOptions & { rejectUnauthorized: boolean };

/** Calls `done` with the body, or with undefined if the connection broke in the middle. */
function readBody(response: IncomingMessage, done: (body: string | undefined) => void): void {
  const kept = new KeptBytes(BODY_LIMIT);
  response.on('data', (chunk: Buffer) => {
    if (!kept.add(chunk) || kept.isFull) done(kept.bytes().toString('utf8'));
  });
  response.on('end', () => done(kept.bytes().toString('utf8')));
  response.on('error', () => done(undefined));
}

const BROKEN: HealthResult = { kind: 'unhealthy', reason: 'the connection broke in the middle of the body' };
const BODY_LIMIT = 1024 * 1024;

function judgeBody(body: string, wanted: string | RegExp): HealthResult {
  const found = matches(body, wanted);
  if (found === 'yes') return { kind: 'healthy' };
  if (found === 'slow') return { kind: 'unhealthy', reason: `matching the body against ${wanted} takes too long` };
  const reason = typeof wanted === 'string' ? `the body lacks ${quoted(wanted)}` : `the body does not match ${wanted}`;
  return { kind: 'unhealthy', reason };
}
