import { soon } from '../core/clock.ts';
import type { LastRecoveries } from '../monitor/history/last-recoveries.ts';
import type { Core } from './app.ts';
import { isConfigured } from './known-names.ts';

/**
 * Those whose last recovery failed, or that have a breaker, with neither a section nor a row any more: nothing is left that could get well.
 * Few are looked at, for a moment; of whom that could not be told is not among them. Never rejects.
 */
export async function goneNames(
  core: Pick<Core, 'breakers' | 'clock' | 'monitor' | 'settings' | 'store'>,
  last: LastRecoveries,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  if (core.monitor.availability.state !== 'ok') return gone;
  const look = async (): Promise<void> => {
    const breakers = [...core.breakers.list().values()].map(({ processName }) => processName);
    const names = [...new Set([...last.failed(), ...breakers])].filter((name) => !isConfigured(core, name));
    for (const name of names.slice(0, MOST_NAMES)) if (await isRowless(core, name)) gone.add(name);
  };
  await soon(core.clock, LIMIT_MS, look());
  return gone;
}

async function isRowless({ store }: Pick<Core, 'store'>, name: string): Promise<boolean> {
  try {
    return (await store().findProcesses(name)).length === 0;
  } catch {
    return false;
  }
}

const MOST_NAMES = 20;
const LIMIT_MS = 300;
