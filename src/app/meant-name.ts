import { looseName } from '../config/did-you-mean.ts';
import { soon } from '../core/clock.ts';
import { nearName } from '../core/text/near-name.ts';
import type { Core } from './app.ts';

/**
 * The name of a section, else one of the database, that differs from an unknown one only by letter case, blanks, accents, or
 * `-` for `_`; undefined if there is none, or if the database does not answer within 2 s. Never rejects.
 */
export async function meantName(
  { clock, settings, store }: Pick<Core, 'clock' | 'settings' | 'store'>,
  unknown: string,
): Promise<string | undefined> {
  const section = likeName(unknown, settings().processNames);
  if (section !== undefined) return section;
  const names = await soon(clock, LOOK_LIMIT_MS, store().listNames(MOST_NAMES)).catch(() => []);
  return names === 'late' ? undefined : likeName(unknown, names);
}

/**
 * The first of `names` that differs from `name` only in that way; undefined if none does, or if `name` itself is among them.
 */
export function likeName(name: string, names: readonly string[]): string | undefined {
  if (names.includes(name)) return undefined;
  return nearName(name, names) ?? names.find((other) => looseName(other) === looseName(name));
}

const LOOK_LIMIT_MS = 2000;
const MOST_NAMES = 10_000;
