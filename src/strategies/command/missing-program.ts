import { isAbsolute, join } from 'node:path';
import { quoted } from '../../core/text/printable.ts';
import { hostStat } from '../../system/files/host-path.ts';
import { USUAL_PATH } from '../../system/spawn/minimal-environment.ts';
import type { NamedProgram } from './named-programs.ts';

/**
 * Which of the programs and folders that a command line names (namedPrograms) are missing or cannot be executed, one line each
 * with what was expected; [] if there are none, or if that cannot be determined. `path`: the $PATH that the command will have.
 */
export function missingPrograms(named: readonly NamedProgram[], path = USUAL_PATH): string[] {
  return named.flatMap((one) => missing(one, path) ?? []);
}

function missing({ kind, name }: NamedProgram, path: string): string | undefined {
  if (!name.startsWith('/')) return inPath(name, path);
  const stat = hostStat(name);
  const shown = quoted(name);
  if (stat === 'unknown') return undefined;
  if (kind === 'folder') {
    if (stat === 'none') return `${shown} is not there (expected a folder, to cd to)`;
    return stat.isDirectory() ? undefined : `${shown} is not a folder (expected one, to cd to)`;
  }
  if (stat === 'none') return `${shown} is not there (expected ${kind === 'script' ? 'a file to run' : 'a program'})`;
  if (stat.isDirectory()) return kind === 'script' ? undefined : `${shown} is a folder (expected a program)`;
  if (kind === 'script' || (stat.mode & 0o111) !== 0) return undefined;
  return `${shown} cannot be executed (expected a program, got mode ${(stat.mode & 0o7777).toString(8).padStart(4, '0')})`;
}

function inPath(name: string, path: string): string | undefined {
  for (const folder of path.split(':').filter(isAbsolute)) {
    const stat = hostStat(join(folder, name));
    if (stat === 'unknown' || (stat !== 'none' && stat.isFile() && (stat.mode & 0o111) !== 0)) return undefined;
  }
  return `${quoted(name)} is not found (expected a program in one of ${path})`;
}
