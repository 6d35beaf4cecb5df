import { quoted } from '../../core/printable.ts';
import { changeableBy } from '../../system/files/changeable-by.ts';
import { hostStat } from '../../system/files/host-path.ts';
import type { Entries } from '../../system/files/walk-path.ts';
import { type NamedProgram, namedPrograms } from './named-programs.ts';

/**
 * What a command line that root runs certainly runs as root, by a full path, and somebody else can change, one line each; []: nothing, and
 * nothing if that cannot be told. `entries`: for many lines.
 */
export function changeablePrograms(line: string, entries: Entries = new Map()): string[] {
  return namedPrograms(line).flatMap((named) => {
    if (named.mayBeAnothers || !isRun(named)) return [];
    const who = changeableBy(named.name, entries);
    return who === undefined ? [] : [`${quoted(named.name)} can be changed by ${who}, and runs as root`];
  });
}

/** Of what is missing, or cannot be executed, missingPrograms tells. */
function isRun({ kind, name }: NamedProgram): boolean {
  if (kind === 'folder' || !name.startsWith('/')) return false;
  const stat = hostStat(name);
  return typeof stat !== 'string' && stat.isFile() && (kind === 'script' || (stat.mode & 0o111) !== 0);
}
