import { systemClock } from '../../core/clock.ts';
import { lastLines } from '../../core/text/last-lines.ts';
import type { Limit } from './dbus/connection.ts';
import type { Pid1Link } from './link.ts';
import type { Pid1 } from './pid1.ts';
import { hasJob, numberOf, type Properties, readProperties, textOf } from './properties.ts';
import type { UnitExplanation } from './service-manager.ts';
import { describeState, STATE_PROPERTIES } from './state-words.ts';
import { journalAbout, journalOf } from './unit/journal.ts';
import { restartDueMs } from './unit/restart-due.ts';

/** Says why a unit is not up, as systemd reports it, and what its last run wrote to the journal. Never rejects. */
export async function explainUnit(pid1: Pid1, unit: string, limit: Limit): Promise<UnitExplanation> {
  const reached = await pid1.withLink(limit, async (link) => {
    const shown = await readProperties(link, unit, EXPLAINED, limit);
    return shown.kind === 'known' ? { values: shown.values, waitsFor: await jobsBefore(link, shown.values, limit) } : undefined;
  });
  if (reached.kind === 'unreachable' || reached.value === undefined) return { reason: undefined, output: [] };
  const { values, waitsFor } = reached.value;
  const dueMs = restartDueMs(values);
  const dueInMs = dueMs === undefined ? undefined : dueMs - systemClock.monotonicMs();
  return { reason: describeState(values, { waitsFor, dueInMs }), output: await lastOutput(unit, values, limit) };
}

const EXPLAINED = {
  Unit: [...STATE_PROPERTIES.Unit, 'InvocationID', 'InactiveExitTimestamp'],
  Service: [...STATE_PROPERTIES.Service, 'ExecMainStartTimestamp', 'RestartUSec', 'RestartUSecNext'],
};

/**
 * The messages of systemd itself help if the unit wrote nothing: a PIDFile= cannot be read, or a program cannot be executed.
 */
async function lastOutput(unit: string, values: Properties, { timeoutMs, signal }: Limit): Promise<readonly string[]> {
  const id = values.get('InvocationID');
  // A unit that waits for its next automatic start is already `activating`.
  const isWaiting = textOf(values, 'SubState').startsWith('auto-restart');
  const began = numberOf(values, isWaiting ? 'ExecMainStartTimestamp' : 'InactiveExitTimestamp');
  const life = {
    unit,
    invocation: Buffer.isBuffer(id) ? id.toString('hex') : '',
    sinceMs: began > 0 ? began / 1000 : undefined,
  };
  const limit = { entries: MOST_LINES, timeoutMs: Math.min(timeoutMs, JOURNAL_MS), ...(signal && { signal }) };
  const own = lastLines(await journalOf(life, limit), MOST_LINES);
  if (own.length > 0) return own;
  const about = (await journalAbout(life, { ...limit, entries: MOST_READ })).split('\n');
  return lastLines(about.filter((line) => !REDUNDANT.test(line)).join('\n'), MOST_LINES);
}

/** Messages that repeat the reason, or that do not explain it. */
const REDUNDANT =
  /^(?:Starting|Started|Stopping|Stopped|Finished|Failed to start|Dependency failed) |: (?:(?:Main|Control) process exited|Failed with result|Scheduled restart job|Deactivated|Consumed|Sent signal|Killing process|Sending signal)/;
const MOST_READ = 20;

/** Returns the jobs that a waiting job is ordered after. Source: org.freedesktop.systemd1(5), GetJobBefore. */
async function jobsBefore(link: Pid1Link, values: Properties, limit: Limit): Promise<string[]> {
  const job = values.get('Job');
  const isUnderWay = ['activating', 'deactivating'].includes(textOf(values, 'ActiveState'));
  if (!hasJob(values) || isUnderWay || !Array.isArray(job)) return [];
  const answer = await link.call({ member: 'GetJobBefore', signature: 'u', values: [Number(job[0])] }, limit);
  const jobs = answer.kind === 'reply' ? answer.values[0] : undefined;
  if (!Array.isArray(jobs)) return [];
  const named = jobs.flatMap((other) => (Array.isArray(other) ? [`${other[1]} (${other[2]})`] : []));
  return named.length > MOST_JOBS ? [...named.slice(0, MOST_JOBS), `${named.length - MOST_JOBS} more`] : named;
}

const MOST_LINES = 5;
const MOST_JOBS = 5;
/** A large journal on a slow disk must not hold up the recovery. */
const JOURNAL_MS = 3000;
