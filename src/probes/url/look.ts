// One look at a URL: the request, its redirects, and what the answer is.
import type { SecureContext } from 'node:tls';
import { withinWords } from '../../core/text/duration.ts';
import type { NameResolver } from '../../system/names/resolver.ts';
import { authoritiesFault } from '../authorities.ts';
import { type CertificateWarning, ofBoth } from '../certificate.ts';
import type { Answer } from '../worker/answer.ts';
import { judge } from './judge.ts';
import { nextRequest } from './redirect.ts';
import { type Request, sendRequest } from './request.ts';
import type { UrlWork } from './work.ts';

/** Looks once, for at most `timeoutMs` in all. Never rejects. */
export async function lookAtUrl(work: UrlWork, names: NameResolver, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  const contexts = await contextsOf(work);
  if (contexts.kind === 'unknown') return contexts;
  const over = new AbortController();
  const timer = setTimeout(() => over.abort('its time is over'), timeoutMs);
  const late: Answer = { kind: 'failing', reason: `no complete answer ${withinWords(timeoutMs)}` };
  try {
    const limit = AbortSignal.any([signal, over.signal]);
    return (await follow(work, contexts, names, timeoutMs, limit)) ?? late;
  } finally {
    clearTimeout(timer);
    over.abort('looked');
  }
}

/** Undefined once `signal` aborts. */
async function follow(
  work: UrlWork,
  { own: secureContext, authorities }: Contexts,
  names: NameResolver,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const { verify, certificateDays, family, proxies } = work;
  const beganMs = performance.now();
  const leftMs = (): number => Math.max(beganMs + timeoutMs - performance.now(), 0);
  const body = work.body === undefined ? undefined : Buffer.from(work.body, 'base64');
  const first: Request = { ...work, url: new URL(work.url), body, secureContext };
  let certificate: CertificateWarning;
  for (let request = first, count = 0; ; count++) {
    const answer = await sendRequest(request, { verify, certificateDays, family, proxies, names, leftMs, signal });
    if (answer?.kind !== 'answered') return count === 0 ? answer : withoutHost(answer, request.url.hostname);
    certificate = ofBoth(certificate, answer.certificate);
    const next = work.redirects === 0 ? undefined : nextRequest(answer, request, first, authorities);
    if (next === undefined) {
      const read = await answer.body();
      if (signal.aborted) return undefined;
      return { ...judge(work, { status: answer.status, body: read, tookMs: performance.now() - beganMs }), certificate };
    }
    answer.close();
    if (next.kind === 'refused') return { kind: 'failing', reason: next.reason };
    if (count >= work.redirects) return { kind: 'failing', reason: `more than ${work.redirects} redirects` };
    request = next.request;
  }
}

/** The other side chose where it leads: that is not shown. */
function withoutHost(answer: Answer | undefined, host: string): Answer | undefined {
  if (answer === undefined || answer.kind === 'ok') return answer;
  return { ...answer, reason: `redirected: ${answer.reason.replaceAll(host, 'the other host')}` };
}

/** `authorities`: for hosts that our own certificate is not shown to. */
interface Contexts {
  readonly kind: 'made';
  readonly own?: SecureContext;
  readonly authorities?: SecureContext;
}

type Made = Contexts | (Answer & { readonly kind: 'unknown' });

/** The operator's own authorities and certificate. */
async function contextsOf({ ca, clientCert, clientKey }: UrlWork): Promise<Made> {
  if (ca === undefined && clientCert === undefined) return { kind: 'made' };
  const fault = ca === undefined ? undefined : authoritiesFault(ca);
  if (fault !== undefined) return { kind: 'unknown', reason: fault };
  const { createSecureContext } = await import('node:tls');
  try {
    const own = createSecureContext({ ca, cert: clientCert, key: clientKey });
    return { kind: 'made', own, authorities: createSecureContext({ ca }) };
  } catch (error) {
    const { code = 'not PEM' } = error as NodeJS.ErrnoException;
    return { kind: 'unknown', reason: `ca_file, client_cert or client_key cannot be used (${code})` };
  }
}
