// Reads what an HTTP answer must be, for health checks and checks alike.
import type { SectionReader } from '../core/config.ts';
import { errorMessage } from '../core/errors.ts';
import type { StatusRange } from './http.ts';

/** Reads a list of status codes and their ranges; default 200 to 299. Problems go to the reader. */
export function parseStatus(section: SectionReader, key: string): readonly StatusRange[] {
  const ranges: StatusRange[] = [];
  for (const item of section.list(key)) {
    const range = parseRange(item);
    if (range !== undefined) ranges.push(range);
    else section.problem(key, `invalid value "${item}", expected 200, 2xx, 200-299 or a list of these`);
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

/** Reads a text or a /regular expression/; undefined if there is none, or none that can be used. Problems go to the reader. */
export function parseBody(section: SectionReader, key: string): string | RegExp | undefined {
  const text = section.text(key);
  // A path such as /var/lib is a text: an expression does not end in letters that are not flags.
  const [, pattern, flags] = /^\/(.+)\/([dgimsuvy]*)$/s.exec(text ?? '') ?? [];
  if (pattern === undefined || flags === undefined) return text;
  try {
    if (/[^imsuv]/.test(flags)) throw new Error(`the flags may be i, m, s, u and v, not "${flags}"`);
    return new RegExp(pattern, flags);
  } catch (error) {
    section.problem(key, `invalid value, expected a text or /EXPRESSION/: ${errorMessage(error)}`);
    return undefined;
  }
}
