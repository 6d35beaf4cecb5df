// `type = unit`: the state of a systemd unit.
import { soon } from '../../../core/clock.ts';
import { withinWords } from '../../../core/text/duration.ts';
import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import type { CheckType, Reading } from '../check.ts';
import { parseUnit } from './unit-name.ts';

/** The keys of `type = unit`. */
interface UnitCheckOptions {
  /** `system_name`, complete: `nginx.service`. */
  readonly unit: string;
  /** `state`: the ActiveState= that it has to have; default active. */
  readonly state: UnitState;
}

const STATES = ['active', 'inactive', 'failed', 'activating', 'deactivating'] as const;
type UnitState = (typeof STATES)[number];

/** `type = unit`: ok while systemd says that the unit is in that state. A unit that does not exist is `inactive`. */
export const unitCheck: CheckType<UnitCheckOptions> = {
  keys: ['system_name', 'state'],
  parse: (section, { systemName }) => {
    const unit = parseUnit(section, 'system_name', systemName);
    const state = section.choice('state', STATES, 'active');
    return unit === undefined ? undefined : { unit, state };
  },
  create: ({ unit, state }, _check, { services, clock }) => ({
    description: `unit ${unit}`,
    look: async (timeoutMs, signal) => {
      const answer = await soon(clock, timeoutMs, services.show(unit, signal), signal);
      if (answer === 'late') return { kind: 'unknown', reason: `systemd did not answer ${withinWords(timeoutMs)}` };
      return answer.kind === 'failed' ? { kind: 'unknown', reason: answer.reason } : judge(answer.status, state);
    },
  }),
};

function judge({ id, loadState, activeState, subState, result }: UnitStatus, state: UnitState): Reading {
  // A unit that reloads is up.
  const found = activeState === 'reloading' ? 'active' : activeState;
  if (found === state) return { kind: 'ok' };
  const missing = loadState === 'not-found' ? 'it does not exist' : undefined;
  const why = missing ?? (result === 'success' || result === '' ? subState : `${subState}, ${result}`);
  return { kind: 'failing', reason: `${id} is ${activeState} (${why}; expected ${state})` };
}
