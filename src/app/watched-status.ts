import type { ProcessStatus } from '../control/status.ts';
import { zonedTimestamp } from '../core/clock.ts';
import { formatDuration } from '../core/text/duration.ts';
import type { WatchedLives } from '../detectors/watched-lives.ts';
import type { WatchedLife } from '../state/daemon-state.ts';
import type { UnitTransit } from '../system/systemd/unit/transit.ts';
import type { WatchFact } from './judge-state.ts';

/** Whether a watched process runs, or what systemd is about with its unit; null: nobody knows. */
export type Running = boolean | null | UnitTransit;

/** A process that a look has found: the first of those that run. */
export interface FoundLife {
  readonly pid: number;
  readonly since: Date;
}

/** What is known of the running of a process; `runs` is undefined for one that is not watched. `nowMs`: of the monotonic clock. */
export function watchFact(
  runs: Running | undefined,
  life: WatchedLife | undefined,
  end: ReturnType<WatchedLives['endOf']>,
  nowMs: number,
): WatchFact {
  if (runs === undefined) return { kind: 'unwatched' };
  if (runs === null) return { kind: 'unknown', reason: 'whether it runs is not known' };
  if (typeof runs === 'object') return transitFact(runs, nowMs);
  if (runs) return { kind: 'runs' };
  if (life === undefined) return { kind: 'down', reason: 'does not run, and was never seen running' };
  // What was stopped before a boot would have been started by that.
  if (end === 'boot') return { kind: 'down', reason: 'was not started since the boot' };
  const { lastExit } = life;
  if (end === 'unseen' || lastExit === null) return { kind: 'down', reason: 'does not run any more, and nobody saw it end' };
  const how = `${lastExit.cause}, ${zonedTimestamp(lastExit.at)}`;
  if (lastExit.ours) return { kind: 'down', reason: `ended during its recovery: ${how}` };
  return lastExit.expected
    ? { kind: 'stopped', reason: `stopped on purpose: ${how}` }
    : { kind: 'down', reason: `ended: ${how}` };
}

/** What is starting is not known to be well; what has ended and is to be started again some time is down until then. */
function transitFact(transit: UnitTransit, nowMs: number): WatchFact {
  const { kind, unit } = transit;
  switch (kind) {
    case 'starting':
    case 'stopping': {
      const long = transit.sinceMs > 0 ? ` for ${formatDuration(nowMs - transit.sinceMs)}` : '';
      return { kind: 'unknown', reason: `${unit} has been ${kind}${long}` };
    }
    case 'queued':
      return { kind: 'unknown', reason: `${unit} is down, and systemd has not begun yet what it is to do with it` };
    case 'ended':
      return { kind: 'down', reason: `${unit} has ended (${transit.result}); ${againWords(transit.dueMs, nowMs)}` };
    default:
      return kind satisfies never;
  }
}

function againWords(dueMs: number | undefined, nowMs: number): string {
  if (dueMs === undefined) return 'systemd starts it again';
  if (dueMs === Number.POSITIVE_INFINITY) return 'systemd waits for ever before it starts it again';
  return dueMs <= nowMs ? 'systemd starts it again now' : `systemd starts it again in ${formatDuration(dueMs - nowMs)}`;
}

/** ProcessStatus.watched. `found`: what was found if nobody watches; undefined: nobody has looked, or it does not run. */
export function watchedStatus(
  fact: WatchFact,
  life: WatchedLife | undefined,
  found: FoundLife | undefined,
): ProcessStatus['watched'] {
  if (fact.kind === 'unwatched') return null;
  const runs = fact.kind === 'unknown' ? null : fact.kind === 'runs';
  const { exits, lastExit } = life ?? { exits: 0, lastExit: null };
  const { pid, since } = found ?? life ?? { pid: 0, since: null };
  const last = lastExit && {
    at: lastExit.at.toISOString(),
    cause: lastExit.cause,
    uptimeMs: Math.max(0, Math.round(lastExit.uptimeMs)),
    expected: lastExit.expected,
  };
  return {
    runs,
    stopped: fact.kind === 'stopped',
    pid,
    since: (runs !== false && since?.toISOString()) || null,
    exits,
    lastExit: last,
  };
}
