// Matches a text from outside against what the operator expects.
import { runInNewContext } from 'node:vm';

/** The most characters of a text that are looked at. */
export const MOST_MATCHED = 1024 * 1024;

/** Whether `text` contains or matches `wanted`; `slow`: the expression takes too long to say. */
export function matches(text: string, wanted: string | RegExp): 'yes' | 'no' | 'slow' {
  const looked = text.slice(0, MOST_MATCHED);
  if (typeof wanted === 'string') return looked.includes(wanted) ? 'yes' : 'no';
  try {
    // Only vm can stop an expression that backtracks for years; the event loop blocks meanwhile.
    return runInNewContext('wanted.test(text)', { wanted, text: looked }, { timeout: MATCH_MS }) ? 'yes' : 'no';
  } catch {
    return 'slow';
  }
}

/** How long an expression may take. */
export const MATCH_MS = 200;
