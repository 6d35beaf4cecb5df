import type { Meaning, Resolution } from '../strategy.ts';
import type { UnitLookup } from './lookup.ts';
import { serviceName } from './name-policy.ts';

/**
 * RestartStrategy.resolve for what systemd has under a name. A unit that systemd does not know is a target nevertheless: its
 * recovery fails, and its breaker counts it.
 */
export function resolutionOf(found: UnitLookup): Resolution {
  switch (found.kind) {
    case 'found':
      return { kind: 'target', key: serviceName(found.status.id), description: `unit ${found.status.id}` };
    case 'absent':
      return { kind: 'target', key: serviceName(found.unit), description: `unit ${found.unit}` };
    // Its own name cannot be the key then: it may be an alias of a unit whose recovery is under way.
    case 'unanswered':
      return { kind: 'refused', reason: found.reason, unanswered: true };
    case 'impossible':
    case 'refused':
      return { kind: 'refused', reason: found.reason };
    default:
      return found satisfies never;
  }
}

/** RestartStrategy.means for what systemd has under `name`. */
export function meaningOf(found: UnitLookup, name: string): Meaning {
  switch (found.kind) {
    case 'found':
      return { kind: 'target', key: serviceName(found.status.id) };
    case 'absent':
      return { kind: 'target', key: serviceName(found.unit) };
    case 'refused':
      return { kind: 'target', key: serviceName(found.unit ?? name) };
    case 'impossible':
      return { kind: 'nothing' };
    case 'unanswered':
      return { kind: 'unknown', reason: found.reason };
    default:
      return found satisfies never;
  }
}
