import type { RunningProcesses } from '../../system/systemd/running-processes.ts';
import type { UnitLookup } from './lookup.ts';
import { serviceName } from './name-policy.ts';
import { lookIntoUnit, type UnitProcessParts } from './processes.ts';
import { waitsForTrigger } from './relations/triggers.ts';

/** RestartStrategy.findRunning for what systemd has under a name. Never rejects. */
export async function runningIn(parts: UnitProcessParts, found: UnitLookup, signal: AbortSignal): Promise<RunningProcesses> {
  switch (found.kind) {
    case 'found': {
      const look = await lookIntoUnit(parts, found.status, signal);
      if (look.kind === 'unanswered') return { kind: 'unknown', reason: look.reason };
      const { status, processes, isHollow } = look;
      const waits = processes.length === 0 && (await waitsForTrigger(parts.services, status, signal));
      const running = { kind: 'found', key: serviceName(status.id), processes, unit: status.id, status } as const;
      return { ...running, ...(isHollow && { isHollow }), ...(waits && { waitsForTrigger: waits }) };
    }
    case 'absent':
      return { kind: 'found', key: serviceName(found.unit), processes: [], unit: undefined, status: undefined };
    case 'unanswered':
    case 'impossible':
    case 'refused':
      return { kind: 'unknown', reason: found.reason };
    default:
      return found satisfies never;
  }
}
