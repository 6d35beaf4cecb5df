// Names of our transient units, and paths of units on the bus.

import { createHash } from 'node:crypto';

/** Returns the name of the transient unit of one command run. `runId` is `[a-z0-9-]{1,64}`. */
export function runUnit(runId: string): string {
  return `${OURS}-run-${runId}.service`;
}

/** True if it is the unit of a command run. */
export function isRunUnit(unit: string): boolean {
  return unit.startsWith(`${OURS}-run-`);
}

/** Returns the name of the transient unit of one worker: `owner` is the process that starts it, `life` counts its workers. */
export function workerUnit(owner: number, life: number): string {
  return `${OURS}-worker-${owner}-${life}.service`;
}

/**
 * Returns the name of the transient unit that a launched program runs in. The program's name may be any text. Each name and
 * copy (from 1) has a unit of its own. Characters other than plain letters, digits, `:`, `_` and `.` are escaped as by
 * systemd-escape(1). A name that is too long is cut and gets a digest.
 */
export function appUnit(systemName: string, copy = 1): string {
  const kind = copy === 1 ? 'app' : `app${copy}`;
  const escaped = escapeName(systemName);
  if (escaped.length <= MAX_ESCAPED) return `${OURS}-${kind}-${escaped}.service`;
  const digest = createHash('sha256').update(systemName).digest('hex').slice(0, DIGEST_LENGTH);
  // Not `app` in front, because a shorter name may be just that text. A cut in the middle of an escape would leave a stray
  // backslash.
  return `${OURS}-cut-${kind}-${escaped.slice(0, CUT_LENGTH).replace(/\\(?:x[0-9a-f]?)?$/, '')}-${digest}.service`;
}

/** The most copies of a program whose units are looked at. */
export const MOST_COPIES = 16;

/** True if it is the unit of any copy of the program. */
export function isAppUnitOf(unit: string, systemName: string): boolean {
  return unit.replace(APP_UNIT, '$1-') === appUnit(systemName);
}

/** True if it is the unit of any launched program. */
export function isAppUnit(unit: string): boolean {
  return APP_UNIT.test(unit);
}

const APP_UNIT = /^(monitor_service-(?:cut-)?app)\d*-/;

const OURS = 'monitor_service';
/** UNIT_NAME_MAX is 256 with the final NUL; the number of the copy needs room too. */
const MAX_ESCAPED = 220;
const DIGEST_LENGTH = 16;
const CUT_LENGTH = 180;

function escapeName(name: string): string {
  let escaped = '';
  for (const byte of Buffer.from(name)) {
    const character = String.fromCharCode(byte);
    if (character === '/') escaped += '-';
    else if (/[A-Za-z0-9:_.]/.test(character) && !(character === '.' && escaped === '')) escaped += character;
    else escaped += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}

/**
 * Returns the path of a unit on the bus: every byte of its name except letters, and digits that are not in front, becomes `_xx`
 * (bus_label_escape() of systemd).
 */
export function unitPath(unit: string): string {
  const escaped = [...Buffer.from(unit)].map((byte, index) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z]/.test(character) || (index > 0 && /[0-9]/.test(character))
      ? character
      : `_${byte.toString(16).padStart(2, '0')}`;
  });
  return `/org/freedesktop/systemd1/unit/${escaped.join('') || '_'}`;
}
