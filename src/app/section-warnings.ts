import { soon } from '../core/clock.ts';
import { formatProblem } from '../core/errors.ts';
import type { Core } from './app.ts';
import { ProcessFindings } from './process-findings.ts';

/**
 * The warnings of check-config for one process, as `FILE:LINE: [section] key: problem`: for its own section, and for what it
 * inherits from `[process.default]`. Errors are not included: its strategy refuses with those. Never rejects.
 */
export async function sectionWarnings(
  core: Pick<Core, 'abort' | 'clock' | 'execution' | 'plans' | 'settings' | 'store'>,
  name: string,
): Promise<string[]> {
  const settings = core.settings();
  const within = AbortSignal.any([core.abort.signal, AbortSignal.timeout(LIMIT_MS)]);
  const { services } = core.execution;
  const findings = new ProcessFindings({ settings, plans: core.plans(), services, hasRow: rowsOf(core) });
  const all = [...settings.document.problemsOf(name), ...(await findings.of(name, within))];
  const warnings = all.filter(({ severity }) => severity === 'warning');
  return warnings.map((warning) => formatProblem(settings.file, warning));
}

/** Somebody waits for the answer: a systemd or getent that hangs must not delay it longer. In milliseconds. */
const LIMIT_MS = 5000;

/** Asks the store for rows; once it has not answered, it is not asked again. */
function rowsOf(core: Pick<Core, 'clock' | 'store'>): (name: string) => Promise<boolean | undefined> {
  let isAway = false;
  return async (name) => {
    if (isAway) return undefined;
    const found = await soon(core.clock, ROW_LIMIT_MS, core.store().findProcesses(name)).catch(() => 'away' as const);
    isAway = found === 'late' || found === 'away';
    return typeof found === 'string' ? undefined : found.length > 0;
  };
}

const ROW_LIMIT_MS = 2000;
