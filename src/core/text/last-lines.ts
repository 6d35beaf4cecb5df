import { printable } from './printable.ts';

/** The last lines of `text` that are not blank, at most `most`; each printable, and cut at 200 characters. */
export function lastLines(text: string, most: number): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-most).map((line) => printable(line.slice(0, LONGEST_LINE)));
}

/** One line: `reason`, and after it the last three of `lines`, as what failed has written them. */
export function withLines(reason: string, lines: readonly string[]): string {
  return lines.length === 0 ? reason : `${reason}: ${lines.slice(-SHOWN_LINES).join(' | ')}`;
}

/** `reason` as it was before `withLines` put these lines after it; as it is if it did not. */
export function withoutLines(reason: string, lines: readonly string[]): string {
  const told = withLines('', lines);
  return told !== '' && reason.endsWith(told) && reason.length > told.length ? reason.slice(0, -told.length) : reason;
}

const LONGEST_LINE = 200;
const SHOWN_LINES = 3;
