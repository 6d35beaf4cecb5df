import { type ConfigProblem, formatProblem } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { processWords } from '../core/text/counted.ts';
import type { Settings } from './settings.ts';

/** `14 configured processes, of which 1 is refused`. */
export function configuredWords({ processNames, refusals }: Pick<Settings, 'processNames' | 'refusals'>): string {
  return processWords(processNames.length, processNames.filter((name) => refusals.has(name)).length);
}

/** Logs all that was found in the configuration that now holds, an error with what follows from it. */
export function tellProblems({ file, problems }: Pick<Settings, 'file' | 'problems'>, log: Logger): void {
  for (const problem of problems) {
    const told = formatProblem(file, problem);
    if (problem.severity === 'warning') log.warning(told);
    else log.error(`${told}${consequence(problem)}`);
  }
}

/** Of an error that ends nothing: of one process. Without a section it counts others. */
function consequence({ section }: ConfigProblem): string {
  return section === '' ? '' : `; ${section.replace(/^process\./, '')} is not restarted as long as this stands`;
}
