// Reads the options of the HTTP health check, and builds its URL for one process.
import type { SectionReader } from '../core/config.ts';
import { invisibleIn, quoted } from '../core/text/printable.ts';
import type { HttpExpectation } from '../probes/http.ts';
import { parseBody, parseStatus } from '../probes/http-options.ts';

/** The options that the HTTP check reads from `[process.NAME]`: `health_check_status` and `health_check_body` besides. */
export interface HttpCheckOptions extends HttpExpectation {
  /** `health_check_url`; `%s` stands for the system name, percent-encoded. */
  readonly url: string;
}

/** Reads the keys of the HTTP check; reports problems to the reader. Undefined if there is no URL, or none that can be used. */
export function parseHttpOptions(section: SectionReader): HttpCheckOptions | undefined {
  const url = section.text('health_check_url');
  const status = parseStatus(section, 'health_check_status');
  const body = parseBody(section, 'health_check_body');
  const flaw = url === undefined ? undefined : urlFlaw(url);
  // The URL itself stays out of the message: it may hold a password.
  if (flaw !== undefined) section.problem('health_check_url', `invalid URL: ${flaw}`);
  return url === undefined || flaw !== undefined ? undefined : { url, status, body };
}

/** The URL for one process, or why there is none. */
type ExpandedUrl = { readonly kind: 'ready'; readonly url: URL } | { readonly kind: 'refused'; readonly reason: string };

/**
 * Replaces every `%s` in `template` by the name, percent-encoded, so that it stays within its part of the URL. A name with
 * invisible characters is refused: they would be removed from a host name, and the name would become another one.
 */
export function expandUrl(template: string, name: string): ExpandedUrl {
  if (!template.includes('%s')) return urlOf(template);
  const unseen = invisibleIn(name);
  // One or two dots would be read as a step up in the path.
  if (unseen !== undefined || /^\.{0,2}$/.test(name)) {
    const why = unseen === undefined ? '' : ` (it holds ${unseen}, which is invisible)`;
    return { kind: 'refused', reason: `the name ${quoted(name)} cannot stand for %s in health_check_url${why}` };
  }
  return urlOf(template.replaceAll('%s', () => encodeURIComponent(name.toWellFormed())));
}

function urlOf(text: string): ExpandedUrl {
  const url = URL.parse(text);
  return url === null ? { kind: 'refused', reason: 'health_check_url with this name is not a URL' } : { kind: 'ready', url };
}

function urlFlaw(template: string): string | undefined {
  const expanded = expandUrl(template, 'name');
  const url = expanded.kind === 'ready' ? expanded.url : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || !/^https?:\/\//i.test(template)) {
    return 'expected http://HOST[:PORT][/PATH] or https://…';
  }
  const other = expandUrl(template, 'other');
  if ((url.username !== '' || url.password !== '') && (other.kind !== 'ready' || other.url.host !== url.host)) {
    return 'with user or password in it, %s cannot stand for the host: they would be sent to any host that the database names';
  }
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return 'a % in user or password that does not begin a %XX must be written %25';
  }
  return undefined;
}
