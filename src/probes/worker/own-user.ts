// The user that the worker becomes if no unit gives it one.
import { readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * The number of a user whom nobody else is: without a name, and without a process. Of the range from which systemd takes its dynamic users.
 * As `nobody` the worker would share its memory, and what it has received, with all that run as `nobody`: they may trace each other.
 */
export function unusedUser(random: () => number = Math.random): number {
  const used = new Set([...named(), ...running()]);
  const size = LAST - FIRST + 1;
  const begin = Math.floor(random() * size);
  for (let i = 0; i < size; i++) {
    const uid = FIRST + ((begin + i) % size);
    if (!used.has(uid)) return uid;
  }
  return FIRST + begin;
}

function named(): number[] {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.map((line) => Number(line.split(':')[2]));
}

function running(): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    return statSync(`/proc/${entry}`, { throwIfNoEntry: false })?.uid ?? [];
  });
}

/** systemd's documentation, UIDS-GIDS. */
const [FIRST, LAST] = [61_184, 65_519];
