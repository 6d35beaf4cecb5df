import type { DaemonStatus, ProcessDetails, ProcessStatus } from '../../control/status.ts';
import { counted } from '../../core/counted.ts';
import { printable } from '../../core/printable.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { storeFact } from './header.ts';
import { isDown, shownName } from './words.ts';

/** What `status --check` prints, printable, and ends with: nothing and 0 if all is well. */
export interface Verdict {
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
}

/** How a status ends that only shows: 3 without a daemon, before 69 if alarms are not known. */
export function shownCode({ pid, store, processes }: Told): ExitCode {
  if (pid === 0) return exitCodes.notRunning;
  const isUnknown = store.state !== 'ok' || processes.some(({ inAlarm }) => inAlarm === null);
  return isUnknown ? exitCodes.unavailable : exitCodes.ok;
}

/** Whether all is well: of several faults 3 (no daemon) comes before 69 (something is not known) before 1. */
export function judge(told: Told, now: Date): Verdict {
  const { pid, store, processes } = told;
  const faults = [...namelessFault(store), ...processes.flatMap((process) => faultOf(process) ?? [])];
  const unknowns = processes.flatMap((process) => unknownOf(process, store.state === 'ok') ?? []);
  const lines = [
    ...(pid === 0 ? ['no daemon runs: nothing is restarted'] : []),
    ...(store.state === 'ok' ? [] : [`alarm store: ${storeFact(store, now).text}`]),
    ...faults,
    ...unknowns,
  ];
  const shown = shownCode(told);
  const isUnknown = shown === exitCodes.ok && processes.some(({ state }) => state === 'unknown');
  const exitCode = isUnknown ? exitCodes.unavailable : shown === exitCodes.ok && faults.length > 0 ? exitCodes.failed : shown;
  return { lines: lines.map(printable), exitCode };
}

/** What is judged: a daemon with all its processes, or with one of them. */
type Told = Pick<DaemonStatus, 'pid' | 'store' | 'processes'>;

/** One process to be judged. Its alarm may be known though the store does not answer: the daemon keeps it itself. */
export function toldOf({ pid, store, process }: ProcessDetails): Told {
  const state = process.inAlarm === null || store.state === 'ok' ? store.state : 'ok';
  return { pid, store: { ...store, state, nameless: 0 }, processes: [process] };
}

/** Alarms that stand in the line of no process. */
function namelessFault({ nameless = 0 }: Told['store']): string[] {
  if (nameless === 0) return [];
  return [`alarm store: ${counted(nameless, 'row', 'rows')} in alarm without a name in PROCESE, and so never healed`];
}

/** An alarm, an open breaker, something watched that is down; and what is red for another reason: refused, or not recovered. */
function faultOf(process: ProcessStatus): string | undefined {
  const { name, state, reason, inAlarm, breaker } = process;
  const faults = [
    ...(inAlarm === true ? ['in alarm'] : []),
    ...(breaker.state === 'open' ? ['circuit breaker open'] : []),
    ...(isDown(process) ? ['down'] : []),
    ...(state === 'failed' ? ['last recovery failed'] : []),
    ...(state === 'refused' ? ['refused'] : []),
  ];
  const why = state === 'failed' ? reason?.replace(/^the last recovery failed: /, '') : reason;
  return faults.length === 0 ? undefined : `${shownName(name)}: ${faults.join(', ')}${why == null ? '' : ` (${why})`}`;
}

/** While the store does not answer its line speaks for all of which nothing else is known. */
function unknownOf({ name, state, reason, inAlarm, rows }: ProcessStatus, storeAnswers: boolean): string | undefined {
  if (inAlarm !== null && state !== 'unknown') return undefined;
  if (inAlarm === null && !storeAnswers)
    return rows.length === 0 ? undefined : `${shownName(name)}: was in alarm when the store was read last`;
  return `${shownName(name)}: unknown${reason === null ? '' : ` (${reason})`}`;
}
