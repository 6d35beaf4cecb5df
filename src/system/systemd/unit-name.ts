import { createHash } from 'node:crypto';

/** The transient unit of one command run; `runId` is `[a-z0-9-]{1,64}`. */
export function runUnit(runId: string): string {
  return `${OURS}-run-${runId}.service`;
}

/** Whether it is such a unit. */
export function isRunUnit(unit: string): boolean {
  return unit.startsWith(`${OURS}-run-`);
}

/**
 * The transient unit that a launched program lives in, whatever its name holds; one unit for each name. What is no plain letter,
 * digit, `:`, `_` or `.` is escaped as systemd-escape(1) does it; a name too long for that is cut and gets a digest.
 */
export function appUnit(systemName: string): string {
  const unit = `${OURS}-app-${escapeName(systemName)}.service`;
  if (unit.length <= MAX_LENGTH) return unit;
  const digest = createHash('sha256').update(systemName).digest('hex').slice(0, DIGEST_LENGTH);
  // A cut in the middle of an escape would leave a stray backslash.
  return `${unit.slice(0, CUT_LENGTH).replace(/\\(?:x[0-9a-f]?)?$/, '')}-${digest}.service`;
}

/** Whether it is such a unit. */
export function isAppUnit(unit: string): boolean {
  return unit.startsWith(`${OURS}-app-`);
}

const OURS = 'monitor_service';
/** UNIT_NAME_MAX less the final NUL. */
const MAX_LENGTH = 255;
const DIGEST_LENGTH = 16;
const CUT_LENGTH = 200;

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

/** Where the bus has a unit: every byte of its name but letters, and digits not in front, as `_xx` (bus_label_escape() of systemd). */
export function unitPath(unit: string): string {
  const escaped = [...Buffer.from(unit)].map((byte, index) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z]/.test(character) || (index > 0 && /[0-9]/.test(character))
      ? character
      : `_${byte.toString(16).padStart(2, '0')}`;
  });
  return `/org/freedesktop/systemd1/unit/${escaped.join('') || '_'}`;
}
