// Durations on the command line.
export { formatDuration } from '../../core/text/duration.ts';

/** Milliseconds of `90`, `90s`, `30m`, `2h` or `1d`; undefined for anything else, for nothing and for more than ten years. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})([smhd]?)$/.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const ms = Number(digits) * (UNIT_MS[unit as keyof typeof UNIT_MS] ?? 1000);
  return ms > 0 && ms <= LONGEST_MS ? ms : undefined;
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LONGEST_MS = 3650 * UNIT_MS.d;
