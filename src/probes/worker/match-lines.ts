// Counts the lines that an expression of the operator's matches.
import { runInNewContext } from 'node:vm';
import { counted } from '../../core/text/counted.ts';
import { printable } from '../../core/text/printable.ts';
import { MATCH_MS } from '../match.ts';
import type { Answer } from './answer.ts';

/** Lines in which too many must not match. */
export interface LinesWork {
  readonly type: 'lines';
  /** At most 1 MiB, each ended by a line break. */
  readonly text: string;
  /** Without the flags g and y. */
  readonly pattern: { readonly source: string; readonly flags: string };
  /** How many may match. */
  readonly most: number;
}

/** `failing` if more lines match than may; the reason has the last of them. */
export function matchLines({ text, pattern: { source, flags }, most }: LinesWork): Answer {
  const pattern = new RegExp(source, flags);
  const lines = text.split(/\r?\n/);
  let found: { readonly count: number; readonly last: string };
  try {
    // Only vm can stop an expression that backtracks for years.
    found = runInNewContext(COUNT, { pattern, lines }, { timeout: MATCH_MS });
  } catch {
    return { kind: 'unknown', reason: `matching the lines against ${pattern} takes too long` };
  }
  if (found.count <= most) return { kind: 'ok' };
  const what = `${counted(found.count, 'new line matches', 'new lines match')} ${pattern} (expected at most ${most})`;
  return { kind: 'failing', reason: `${what}: ${printable(found.last.slice(0, LONGEST_SHOWN))}` };
}

const COUNT = `
  let count = 0, last = '';
  for (const line of lines) if (line !== '' && pattern.test(line)) { count++; last = line; }
  ({ count, last })
`;
const LONGEST_SHOWN = 200;
