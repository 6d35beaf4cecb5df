// What `status --check` reports, and its exit code.
import type { ProcessDetails } from '../../control/orders/describe.ts';
import type { DaemonStatus, ProcessStatus } from '../../control/status.ts';
import { counted } from '../../core/text/counted.ts';
import { printable } from '../../core/text/printable.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { storeFact, unsavedWords } from './header.ts';
import { isDown, shownName } from './words.ts';

/** The result of `status --check`: printable lines and the exit code; no lines and 0 if all is well. */
interface Verdict {
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
}

/** The exit code of a plain status: 3 without a daemon, else 69 if alarms are not known. */
export function shownCode({ pid, store, processes }: Subject): ExitCode {
  if (pid === 0) return exitCodes.notRunning;
  const isUnknown = store.state !== 'ok' || processes.some(({ inAlarm }) => inAlarm === null);
  return isUnknown ? exitCodes.unavailable : exitCodes.ok;
}

/**
 * Checks whether all is well: of several faults, 3 (no daemon) has precedence over 69 (something is not known), and that over
 * 1.
 */
export function judge(subject: Subject, now: Date): Verdict {
  const { pid, store, processes, unsaved } = subject;
  const judged = processes.map((process) => ({ process, faults: faultsOf(process) }));
  const linesOf = (some: typeof judged): string[] =>
    some.flatMap(({ process, faults }) => lineOf(process, faults, store.state === 'ok') ?? []);
  const faulty = judged.filter(({ faults }) => faults.length > 0);
  const nameless = namelessFault(store);
  // One that has not looked yet, perhaps because of its schedule, has found nothing wrong.
  const troubled = (subject.checks ?? []).filter(({ state, reason }) => state !== 'ok' && reason !== NOT_LOOKED);
  const lines = [
    ...(pid === 0 ? ['no daemon runs: nothing is restarted'] : []),
    ...(store.state === 'ok' ? [] : [`alarm store: ${storeFact(store, now).text}`]),
    ...nameless,
    ...(unsaved ? [`state_dir: ${unsavedWords(unsaved)}`] : []),
    ...troubled.map(({ name, state, isWarning, reason }) => {
      const what = state === 'failing' && isWarning ? 'warning' : state;
      return `check ${shownName(name)}: ${what}${reason === null ? '' : ` (${reason})`}`;
    }),
    ...linesOf(faulty),
    ...linesOf(judged.filter(({ faults }) => faults.length === 0)),
  ];
  const shown = shownCode(subject);
  const isUnknown = shown === exitCodes.ok && [...processes, ...troubled].some(({ state }) => state === 'unknown');
  const isFaulty = nameless.length + faulty.length + troubled.length > 0 || Boolean(unsaved);
  const exitCode = isUnknown ? exitCodes.unavailable : shown === exitCodes.ok && isFaulty ? exitCodes.failed : shown;
  return { lines: lines.map(printable), exitCode };
}

/** The subject of a check: a daemon with all its processes, or with one of them. */
type Subject = Pick<DaemonStatus, 'checks' | 'pid' | 'store' | 'processes' | 'unsaved'>;

/** One process as the subject. Its alarm may be known although the store does not answer: it may be a kept alarm. */
export function subjectOf({ pid, store, process }: ProcessDetails): Subject {
  const state = process.inAlarm === null || store.state === 'ok' ? store.state : 'ok';
  return { pid, store: { ...store, state, nameless: 0 }, processes: [process] };
}

/** Alarms that belong to no process, and so have no other line. */
function namelessFault({ nameless = 0 }: Subject['store']): string[] {
  if (nameless === 0) return [];
  return [`alarm store: ${counted(nameless, 'row', 'rows')} in alarm without a name in PROCESE, and so never healed`];
}

/**
 * One process in one line; undefined if it is well. While the store does not answer, the line about the store stands for all
 * processes about which nothing else is known.
 */
function lineOf(process: ProcessStatus, faults: readonly string[], storeAnswers: boolean): string | undefined {
  const { name, state, reason } = process;
  const unknown = unknownOf(process, storeAnswers);
  const what = [...faults, ...(unknown === undefined ? [] : [unknown])];
  if (what.length === 0) return undefined;
  // The line about the store says why.
  const isExplained = faults.length === 0 && unknown === WAS_IN_ALARM;
  const why = state === 'failed' ? reason?.replace(/^the last recovery failed: /, '') : reason;
  return `${shownName(name)}: ${what.join(', ')}${why == null || isExplained ? '' : ` (${why})`}`;
}

/**
 * The faults of a process: an alarm, an open breaker, watched but down; and the other red states: refused, or not recovered.
 */
function faultsOf(process: ProcessStatus): string[] {
  const { state, inAlarm, breaker } = process;
  return [
    ...(inAlarm === true ? ['in alarm'] : []),
    ...(breaker.state === 'open' ? ['circuit breaker open'] : []),
    ...(isDown(process) ? ['down'] : []),
    ...(state === 'failed' ? ['last recovery failed'] : []),
    ...(state === 'refused' ? ['refused'] : []),
  ];
}

const NOT_LOOKED = 'not looked yet';
const WAS_IN_ALARM = 'was in alarm when the store was read last';

function unknownOf({ state, inAlarm, rows }: ProcessStatus, storeAnswers: boolean): string | undefined {
  if (inAlarm !== null && state !== 'unknown') return undefined;
  if (inAlarm !== null || storeAnswers) return 'unknown';
  return rows.length === 0 ? undefined : WAS_IN_ALARM;
}
