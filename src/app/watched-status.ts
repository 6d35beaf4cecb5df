import type { ProcessStatus } from '../control/status.ts';
import { localTimestamp } from '../core/clock.ts';
import type { WatchedLife } from '../state/daemon-state.ts';
import type { WatchFact } from './judge-state.ts';
import type { WatchedLives } from './watched-lives.ts';

/** What is known of the running of a process. `runs` is undefined for one that is not watched, null if nobody knows. */
export function watchFact(
  runs: boolean | null | undefined,
  life: WatchedLife | undefined,
  end: ReturnType<WatchedLives['endOf']>,
): WatchFact {
  if (runs === undefined) return { kind: 'unwatched' };
  if (runs === null) return { kind: 'unknown', reason: 'whether it runs is not known' };
  if (runs) return { kind: 'runs' };
  if (life === undefined) return { kind: 'down', reason: 'does not run, and was never seen to' };
  // What was stopped before a boot would have been started by that.
  if (end === 'boot') return { kind: 'down', reason: 'was not started since the boot' };
  const { lastExit } = life;
  if (end === 'unseen' || lastExit === null) return { kind: 'down', reason: 'does not run any more, and nobody saw it end' };
  const how = `${lastExit.cause}, ${localTimestamp(lastExit.at)}`;
  if (lastExit.ours) return { kind: 'down', reason: `ended during its recovery: ${how}` };
  return lastExit.expected
    ? { kind: 'stopped', reason: `stopped on purpose: ${how}` }
    : { kind: 'down', reason: `ended: ${how}` };
}

/** ProcessStatus.watched. */
export function watchedStatus(
  fact: WatchFact,
  runs: boolean | null | undefined,
  life: WatchedLife | undefined,
): ProcessStatus['watched'] {
  if (runs === undefined) return null;
  const { pid, since, exits, lastExit } = life ?? { pid: 0, since: null, exits: 0, lastExit: null };
  const last = lastExit && {
    at: lastExit.at.toISOString(),
    cause: lastExit.cause,
    uptimeMs: Math.max(0, Math.round(lastExit.uptimeMs)),
    expected: lastExit.expected,
  };
  return { runs, stopped: fact.kind === 'stopped', pid, since: since?.toISOString() ?? null, exits, lastExit: last };
}
