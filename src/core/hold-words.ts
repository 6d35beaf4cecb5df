// Words for holds, for log lines and the command line.
import { zonedTimestamp } from './clock.ts';
import { formatDuration } from './text/duration.ts';
import { nameWords } from './text/printable.ts';

/** The details of a hold that people read. */
interface HoldDetails {
  /** null: until it is released. */
  readonly until: Date | null;
  /** May be empty. */
  readonly reason: string;
  readonly strict?: boolean | undefined;
}

/** What is on hold, in a sentence; `name` null: everything. */
export function heldName(name: string | null): string {
  return name === null ? 'all processes' : nameWords(name);
}

/** `until released`, `until 2026-11-26 22:08:07 +0100 (5 min), strict: upgrade`. With `now` the remaining time is included. */
export function holdWords({ until, reason, strict }: HoldDetails, now?: Date): string {
  const left = until === null || now === undefined ? '' : ` (${formatDuration(until.getTime() - now.getTime())})`;
  const end = until === null ? 'until released' : `until ${zonedTimestamp(until)}${left}`;
  return `${end}${strict ? ', strict' : ''}${reason === '' ? '' : `: ${reason}`}`;
}
