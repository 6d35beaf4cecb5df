// Points in time on the command line.
import { parseDuration } from './duration.ts';

/**
 * The time that `text` means: `2h` (before `now`), `2026-11-26`, `2026-11-26 22:08`, `2026-11-26 22:08:07` (local), or ISO 8601 with an
 * offset; undefined for anything else.
 */
export function parseWhen(text: string, now: Date): Date | undefined {
  const ago = parseDuration(text);
  if (ago !== undefined) return new Date(now.getTime() - ago);
  const [, day, time = '00:00', offset = ''] = FORM.exec(text.trim()) ?? [];
  if (day === undefined) return undefined;
  const date = new Date(`${day}T${time}${offset.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isFinite(date.getTime()) ? date : undefined;
}

const FORM = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/;
