// Whether the program of a unit that is down, or goes down without its main process, runs outside of the unit.
import { findAccount } from '../../../system/spawn/user-account.ts';
import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import { isDown } from '../../../system/systemd/unit/state.ts';
import type { StrategyParts } from '../../strategy.ts';
import { permitAfterStop } from '../actions/left-alive.ts';
import type { UnitPermission } from '../relations/permission.ts';
import { describeState } from '../state.ts';
import { type KnownProgram, runningOutside, unknownProgram } from './outside.ts';

/** Finds what runs of a program that is known by more than its unit. Never rejects. */
export type TakeKnown = (signal: AbortSignal) => Promise<KnownProgram>;

/** For a program of which no more is known than its unit. */
export const nothingKnown: TakeKnown = async () => unknownProgram;

/**
 * Whether a unit that is not up may be started: there must never be a second copy, and what an administrator has started by hand
 * is not in the unit's control group. Never rejects.
 */
export async function permitBeside(
  { services, table }: Pick<StrategyParts, 'services' | 'table'>,
  status: UnitStatus,
  known: TakeKnown,
  signal: AbortSignal,
): Promise<UnitPermission> {
  const { id, loadState, type } = status;
  if (!hasNoMain(status) || loadState !== 'loaded') return { kind: 'permitted' };
  const answer = await services.program(id, signal);
  if (answer.kind === 'failed')
    return { kind: 'unanswered', reason: `systemd does not say what ${id} executes: ${answer.reason}`, why: answer.reason };
  const { program } = answer;
  const after = await permitAfterStop({ services, table }, status, program, signal);
  // Of programs that do their work and end, several may be at work.
  if (after.kind !== 'permitted' || type === 'oneshot') return after;
  const account = program.user === '' ? undefined : await findAccount(program.user, signal);
  if (account?.kind === 'unknown')
    return { kind: 'unanswered', reason: `the user of ${id} is not known: ${account.reason}`, why: account.reason };
  const uids = account?.kind === 'found' ? [0, account.account.uid] : [0];
  const pids = await runningOutside(table, { id, program, uids }, await known(signal));
  // No descriptor may be left to read by.
  if (pids.length === 0 && table.isUnreadable())
    return {
      kind: 'unanswered',
      reason: `whether the program of ${id} runs outside of it is not known: ${UNREADABLE}`,
      why: UNREADABLE,
    };
  if (pids.length === 0) return { kind: 'permitted' };
  const shown = pids.slice(0, SHOWN_PIDS).join(', ');
  return {
    kind: 'refused',
    reason: `${id} is ${describeState(status)}, and its program runs outside of it (pid ${shown}): a start would make a second copy (stop that one, or set restart_strategy = process)`,
  };
}

/** Down; or going down, after its main process has ended: a stop that hangs leaves time to start the program by hand. */
function hasNoMain(status: UnitStatus): boolean {
  return isDown(status) || (status.activeState === 'deactivating' && status.mainPid === 0);
}

const SHOWN_PIDS = 10;
const UNREADABLE = '/proc cannot be read';
