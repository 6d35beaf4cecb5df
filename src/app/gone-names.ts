import { soon } from '../core/clock.ts';
import type { LastRecoveries } from '../monitor/history/last-recoveries.ts';
import type { Core } from './app.ts';
import { isConfigured } from './known-names.ts';

/**
 * The names whose last recovery failed, or that have a breaker, but that no longer have a section or a row: nothing is left to
 * heal. At most 200 names are looked up, within 300 ms; a name for which this is not known is not included. Never rejects.
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

const MOST_NAMES = 200;
const LIMIT_MS = 300;
