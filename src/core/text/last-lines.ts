// The last lines of a command's output, in messages.
import { printable } from './printable.ts';

/** The last lines of `text` that are not blank, at most `most`; each printable, and cut at `longest` characters. */
export function lastLines(text: string, most: number, longest = LONGEST_LINE): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-most).map((line) => printable(line.slice(0, longest)));
}

/** One line: `reason`, followed by the last three of `lines`, which the failed command wrote. */
export function withLines(reason: string, lines: readonly string[]): string {
  return lines.length === 0 ? reason : `${reason}: ${lines.slice(-SHOWN_LINES).join(' | ')}`;
}

/** `reason` before `withLines` appended these lines; unchanged if it did not. */
export function withoutLines(reason: string, lines: readonly string[]): string {
  const appended = withLines('', lines);
  return appended !== '' && reason.endsWith(appended) && reason.length > appended.length
    ? reason.slice(0, -appended.length)
    : reason;
}

const LONGEST_LINE = 200;
const SHOWN_LINES = 3;
