// Whether a watched process runs, for its status.
import type { ProcessStatus } from '../control/status.ts';
import { zonedTimestamp } from '../core/clock.ts';
import { formatDuration } from '../core/text/duration.ts';
import type { WatchedLives } from '../detectors/watched-lives.ts';
import type { WatchedLife } from '../state/daemon-state.ts';
import type { UnitTransit } from '../system/systemd/unit/transit.ts';
import type { WatchFact } from './judge-state.ts';

/** Whether a watched process runs, or the transition of its unit; null: not known. */
export type Running = boolean | null | UnitTransit;

/** The first running process that a look has found. */
export interface FoundLife {
  readonly pid: number;
  readonly since: Date;
}

/** Whether a process runs, as far as known; `runs` is undefined if it is not watched. `nowMs`: monotonic milliseconds. */
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
  // A process that was stopped before the boot should have been started by it.
  if (end === 'boot') return { kind: 'down', reason: 'was not started since the boot' };
  const { lastExit } = life;
  if (end === 'unseen' || lastExit === null) return { kind: 'down', reason: 'does not run any more, and nobody saw it end' };
  const how = `${lastExit.cause}, ${zonedTimestamp(lastExit.at)}`;
  if (lastExit.ours) return { kind: 'down', reason: `ended during its recovery: ${how}` };
  return lastExit.expected
    ? { kind: 'stopped', reason: `stopped on purpose: ${how}` }
    : { kind: 'down', reason: `ended: ${how}` };
}

/** A unit that is starting is not known to be healthy; one that has ended and waits to be started again is down until then. */
function transitFact(transit: UnitTransit, nowMs: number): WatchFact {
  const { kind, unit } = transit;
  switch (kind) {
    case 'starting':
    case 'stopping': {
      const long = transit.sinceMs > 0 ? ` for ${formatDuration(nowMs - transit.sinceMs)}` : '';
      return { kind: 'unknown', reason: `${unit} has been ${kind}${long}` };
    }
    case 'queued':
      return { kind: 'unknown', reason: `${unit} is down, and systemd has not begun its queued job yet` };
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

/** ProcessStatus.watched. `found`: the process that a look has found; undefined: nobody has looked, or it does not run. */
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
