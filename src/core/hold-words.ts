import { zonedTimestamp } from './clock.ts';
import { formatDuration } from './text/duration.ts';
import { nameWords } from './text/printable.ts';

/** A hold as it is told. */
interface ToldHold {
  /** null: until it is released. */
  readonly until: Date | null;
  /** May be empty. */
  readonly reason: string;
  readonly strict?: boolean | undefined;
}

/** Who is on hold, in a sentence; `name` null: everything. */
export function heldName(name: string | null): string {
  return name === null ? 'all processes' : nameWords(name);
}

/** `until released`, `until 2026-11-26 22:08:07 +0100 (5 min), strict: upgrade`. `now`: how long that still is, is told too. */
export function holdWords({ until, reason, strict }: ToldHold, now?: Date): string {
  const left = until === null || now === undefined ? '' : ` (${formatDuration(until.getTime() - now.getTime())})`;
  const end = until === null ? 'until released' : `until ${zonedTimestamp(until)}${left}`;
  return `${end}${strict ? ', strict' : ''}${reason === '' ? '' : `: ${reason}`}`;
}
