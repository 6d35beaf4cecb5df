// Reads `header.NAME` of a URL check.
import type { SectionReader } from '../../../../core/config.ts';

/** The names and values of all `header.NAME`; problems go to the reader, without the values, which may be secrets. */
export function parseHeaders(section: SectionReader): [name: string, value: string][] {
  const headers = new Map<string, [string, string]>();
  for (const key of section.keys().filter((one) => one.startsWith(PREFIX))) {
    const name = key.slice(PREFIX.length);
    const value = section.secret(key) ?? '';
    const problem = headerProblem(name, value) ?? (headers.has(name.toLowerCase()) ? 'this header is set twice' : undefined);
    if (problem === undefined) headers.set(name.toLowerCase(), [name, value]);
    else section.problem(key, problem);
  }
  return [...headers.values()];
}

const PREFIX = 'header.';

function headerProblem(name: string, value: string): string | undefined {
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return 'invalid name of a header, expected letters, digits and -';
  if (FRAMING.has(name.toLowerCase())) return 'this header belongs to the connection, and cannot be set';
  // A line break would begin another header, or the body.
  return /[^\t\x20-\x7e\x80-\xff]/.test(value) ? 'the value holds a character that no header can hold' : undefined;
}

/** They say where the request ends, or what the connection is. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
