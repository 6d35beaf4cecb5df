import { soon } from '../core/clock.ts';
import { formatProblem } from '../core/errors.ts';
import type { Core } from './app.ts';
import { ProcessFindings } from './process-findings.ts';

/**
 * What check-config warns of for one process, as `FILE:LINE: [section] key: problem`: of its own section, and of what it inherits from
 * `[process.default]`. Its errors are not among them: its strategy refuses with those. Never rejects.
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

/** Whoever asks waits: a systemd or getent that hangs must not keep him. */
const LIMIT_MS = 5000;

/** Asks the store, and no more once it has not answered. */
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
