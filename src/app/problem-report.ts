import { memberOf } from '../config/families.ts';
import { type ConfigProblem, formatProblem } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { processWords } from '../core/text/counted.ts';
import type { Settings } from './settings.ts';

/** `14 configured processes, of which 1 is refused`. */
export function configuredWords({ processNames, refusals }: Pick<Settings, 'processNames' | 'refusals'>): string {
  return processWords(processNames.length, processNames.filter((name) => refusals.has(name)).length);
}

/** Logs all problems of the configuration that is now in force, an error with its consequence. */
export function logProblems({ file, problems }: Pick<Settings, 'file' | 'problems'>, log: Logger): void {
  for (const problem of problems) {
    const line = formatProblem(file, problem);
    if (problem.severity === 'warning') log.warning(line);
    else log.error(`${line}${consequence(problem)}`);
  }
}

/** The consequence of an error of one section of a family; empty for a line without a section, which counts further errors. */
function consequence({ section }: ConfigProblem): string {
  const { family, name } = memberOf(section) ?? {};
  if (family === undefined) return '';
  return `; ${family === 'process' ? `${name} is not restarted` : `[${section}] is not looked at`} until this is corrected`;
}
