// Finds programs that the commands of checks need and that are missing or can be changed by others.
import { changeablePrograms } from '../strategies/command/changeable-program.ts';
import { missingPrograms } from '../strategies/command/missing-program.ts';
import { namedPrograms } from '../strategies/command/named-programs.ts';
import type { Entries } from '../system/files/walk-path.ts';
import type { Settings } from './settings.ts';

/** Warns of them at each check, as commandFindings does for processes: with what is missing the check is unknown for ever. */
export function warnOfChecks({ document, checks }: Pick<Settings, 'checks' | 'document'>): void {
  const entries: Entries = new Map();
  const isRoot = process.geteuid?.() === 0;
  for (const { type, settings } of checks) {
    if (type !== 'command') continue;
    const section = document.member('check', settings.name);
    const named = namedPrograms(section.command('command') ?? '');
    const problems = [...missingPrograms(named), ...(isRoot ? changeablePrograms(named, entries) : [])];
    for (const problem of problems) section.warning('command', problem);
  }
}
