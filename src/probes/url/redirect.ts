// Where a redirect leads, and what may be sent there.
import type { SecureContext } from 'node:tls';
import type { HttpAnswer, Request } from './request.ts';

/** The next request, or why it is not sent. */
type Next = { readonly kind: 'request'; readonly request: Request } | { readonly kind: 'refused'; readonly reason: string };

/**
 * The request that a redirect asks for; undefined if the answer is not a redirect. Credentials, headers and our certificate go only to the
 * host of the `first` request, other hosts have to be known to `authorities`; never from https to http. Nothing of where it leads is in the reasons: the other side chose it.
 */
export function nextRequest(
  { status, location }: HttpAnswer,
  last: Request,
  first: Request,
  authorities: SecureContext | undefined,
): Next | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  const url = URL.parse(location, last.url.href);
  if (url === null) return refused('redirected to something that is not a URL');
  if (url.protocol === 'http:' && last.url.protocol === 'https:') return refused('redirected from https to http');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return refused('redirected to a URL that is not http or https');
  // What the other side puts in there is not ours to send.
  url.username = '';
  url.password = '';
  const isPost = last.method !== 'GET' && last.method !== 'HEAD';
  const asGet = isPost && (status === 303 || (last.method === 'POST' && (status === 301 || status === 302)));
  const body = asGet ? undefined : last.body;
  const method = asGet ? 'GET' : last.method;
  if (isSameHost(url, first.url)) return { kind: 'request', request: { ...first, url, method, body } };
  if (body !== undefined) return refused('redirected to another host, to which the body is not sent');
  return { kind: 'request', request: { url, method, headers: [], body, auth: undefined, secureContext: authorities } };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function refused(reason: string): Next {
  return { kind: 'refused', reason };
}

/** Another port may belong to somebody else; the usual step from http to https may not. */
function isSameHost(one: URL, other: URL): boolean {
  if (one.origin === other.origin) return true;
  return one.hostname === other.hostname && one.protocol === 'https:' && one.port === '' && other.port === '';
}
