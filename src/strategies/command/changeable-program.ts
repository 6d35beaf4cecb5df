import { quoted } from '../../core/text/printable.ts';
import { changeableBy } from '../../system/files/changeable-by.ts';
import { hostStat } from '../../system/files/host-path.ts';
import type { Entries } from '../../system/files/walk-path.ts';
import type { NamedProgram } from './named-programs.ts';

/**
 * Which of the programs that a command line of root names (namedPrograms) certainly run as root, by a full path, and can be
 * changed by somebody else, one line each; [] if there are none, or if that cannot be determined. `entries`: shared by many
 * lines.
 */
export function changeablePrograms(named: readonly NamedProgram[], entries: Entries = new Map()): string[] {
  return named.flatMap((one) => {
    if (one.mayBeAnothers || !isRun(one)) return [];
    const who = changeableBy(one.name, entries);
    return who === undefined ? [] : [`${quoted(one.name)} can be changed by ${who}, and runs as root`];
  });
}

/** missingPrograms reports what is missing or cannot be executed. */
function isRun({ kind, name }: NamedProgram): boolean {
  if (kind === 'folder' || !name.startsWith('/')) return false;
  const stat = hostStat(name);
  return typeof stat !== 'string' && stat.isFile() && (kind === 'script' || (stat.mode & 0o111) !== 0);
}
