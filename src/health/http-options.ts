// Reads the options of the HTTP health check, and builds its URL for one process.
import type { SectionReader } from '../core/config.ts';
import { errorMessage } from '../core/errors.ts';
import { invisibleIn, quoted } from '../core/text/printable.ts';

/** The options that the HTTP check reads from `[process.NAME]`. */
export interface HttpCheckOptions {
  /** `health_check_url`; `%s` stands for the system name, percent-encoded. */
  readonly url: string;
  /**
   * `health_check_status`: ranges of status codes, both ends included. The status must lie in one of them. Default 200 to 299.
   */
  readonly status: readonly StatusRange[];
  /** `health_check_body`: what the body must contain or match. undefined: the body is not read. */
  readonly body: string | RegExp | undefined;
}

/** Status codes from the first to the last, both included. */
type StatusRange = readonly [first: number, last: number];

/** Reads the keys of the HTTP check; reports problems to the reader. Undefined if there is no URL, or none that can be used. */
export function parseHttpOptions(section: SectionReader): HttpCheckOptions | undefined {
  const url = section.text('health_check_url');
  const status = parseStatus(section);
  const body = parseBody(section);
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

function parseStatus(section: SectionReader): readonly StatusRange[] {
  const ranges: StatusRange[] = [];
  for (const item of section.list('health_check_status')) {
    const range = parseRange(item);
    if (range !== undefined) ranges.push(range);
    else section.problem('health_check_status', `invalid value "${item}", expected 200, 2xx, 200-299 or a list of these`);
  }
  return ranges.length === 0 ? [[200, 299]] : ranges;
}

function parseRange(item: string): StatusRange | undefined {
  const hundreds = /^([1-5])xx$/i.exec(item)?.[1];
  if (hundreds !== undefined) return [Number(hundreds) * 100, Number(hundreds) * 100 + 99];
  const [, first, last = first] = /^([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?$/.exec(item) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) return undefined;
  return [Number(first), Number(last)];
}

function parseBody(section: SectionReader): string | RegExp | undefined {
  const text = section.text('health_check_body');
  // A path such as /var/lib is a text: an expression does not end in letters that are not flags.
  const [, pattern, flags] = /^\/(.+)\/([dgimsuvy]*)$/s.exec(text ?? '') ?? [];
  if (pattern === undefined || flags === undefined) return text;
  try {
    if (/[^imsuv]/.test(flags)) throw new Error(`the flags may be i, m, s, u and v, not "${flags}"`);
    return new RegExp(pattern, flags);
  } catch (error) {
    section.problem('health_check_body', `invalid value, expected a text or /EXPRESSION/: ${errorMessage(error)}`);
    return undefined;
  }
}
