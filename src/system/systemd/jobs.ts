// Runs jobs of systemd: starts, restarts and stops units.

import { systemClock } from '../../core/clock.ts';
import { formatDuration } from '../../core/text/duration.ts';
import { callFailure } from './call-failure.ts';
import { EXEC_CONDITION_REFUSED, unmetCondition } from './condition-words.ts';
import type { Limit } from './dbus/connection.ts';
import { JobEnds } from './job-ends.ts';
import { describeFailure, FAILURE_PROPERTIES, jobWords } from './job-words.ts';
import type { Pid1Link } from './link.ts';
import type { Pid1 } from './pid1.ts';
import { hasJob, isIdleStart, type Properties, readProperties, textOf } from './properties.ts';
import type { ServiceCallResult } from './service-manager.ts';
import { SkippedStart, skipReason } from './skipped-start.ts';
import { unitPath } from './unit/name.ts';
import { isDown, isUp } from './unit/state.ts';

/** What a job does with its unit. */
type JobVerb = 'start' | 'restart' | 'stop';

/**
 * `replace`: the job takes related units along and replaces conflicting jobs. `ignore-dependencies`: the job affects this unit
 * alone.
 */
type JobMode = 'replace' | 'ignore-dependencies';

/**
 * Tells systemd to start, restart or stop a unit, and waits until the job is done, at most as long as `limit` says. After that
 * systemd continues the job by itself. Sends the order only when PID 1 has shown that it answers. If the connection is lost
 * meanwhile (PID 1 re-executes itself), the unit's state shows the result. Never rejects. Source: org.freedesktop.systemd1(5),
 * "Methods".
 */
export async function runJob(
  pid1: Pid1,
  verb: JobVerb,
  unit: string,
  limit: Limit,
  mode: JobMode = 'replace',
): Promise<ServiceCallResult> {
  const endMs = performance.now() + limit.timeoutMs;
  const left = (): Limit => ({ ...limit, timeoutMs: Math.max(endMs - performance.now(), 1) });
  const asked = await pid1.withLink({ ...left(), alive: true }, (link) => requestJob(link, { verb, unit, mode }, left()));
  if (asked.kind === 'unreachable') return failed(asked.reason);
  let step = asked.value;
  while (step.kind === 'lost') {
    const { before } = step;
    const again = await pid1.withLink(left(), (link) => resumeJob(link, verb, unit, before, left()));
    if (again.kind === 'unreachable') return failed(`the connection to systemd was lost meanwhile: ${again.reason}`);
    step = again.value;
    if (step.kind === 'lost') await systemClock.sleep(LOOK_MS, limit.signal);
  }
  return step;
}

type Step = ServiceCallResult | { readonly kind: 'lost'; readonly before: string | undefined };

interface Job {
  readonly verb: JobVerb;
  readonly unit: string;
  readonly mode: JobMode;
}

/**
 * `before`: the invocation of the unit before the order, so that a later one can be distinguished from it; undefined if it is
 * not known.
 */
async function requestJob(link: Pid1Link, { verb, unit, mode }: Job, limit: Limit): Promise<Step> {
  const endMs = performance.now() + limit.timeoutMs;
  const jobEnds = new JobEnds(link);
  const skippedStart = verb === 'stop' ? undefined : new SkippedStart(link, unit);
  try {
    const asked = invocationOf(link, unit, limit);
    const answer = await link.call({ member: METHODS[verb], signature: 'ss', values: [unit, mode] }, limit);
    const before = await asked;
    if (answer.kind === 'lost') return { kind: 'lost', before };
    if (answer.kind !== 'reply') return failed(callFailure(answer));
    const end = await jobEnds.of(String(answer.values[0]), limit);
    if (end.kind === 'lost') return { kind: 'lost', before };
    if (end.kind === 'late') return late(limit);
    const { result } = end.job;
    if (result !== 'done' || skippedStart === undefined) return await jobResult(link, verb, unit, result);
    const outcome = await skippedStart.waitForIdleStart(link, unit, { ...limit, timeoutMs: endMs - performance.now() });
    if (outcome === 'lost') return { kind: 'lost', before };
    if (outcome === 'late') return late(limit);
    const isFailed = outcome === 'down' && skippedStart.verdict === 'started';
    return isFailed ? await jobResult(link, verb, unit, 'failed') : await startResult(link, unit, before, skippedStart, limit);
  } finally {
    jobEnds.stop();
    skippedStart?.stop();
  }
}

function late({ timeoutMs, signal }: Limit): ServiceCallResult {
  return failed(signal?.aborted ? 'aborted' : `its job is not done after ${formatDuration(timeoutMs)}, systemd continues it`);
}

const METHODS = { start: 'StartUnit', restart: 'RestartUnit', stop: 'StopUnit' } as const;

/** Continues after the connection was lost during a job: waits until the unit has no job any more, and reads its state. */
async function resumeJob(link: Pid1Link, verb: JobVerb, unit: string, before: string | undefined, limit: Limit): Promise<Step> {
  const endMs = performance.now() + limit.timeoutMs;
  let wake = (): void => {};
  const stops = [link.onUnit(unitPath(unit), () => wake()), link.onLost(() => wake())];
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const shown = await readProperties(link, unit, LOST_PROPERTIES, { ...limit, timeoutMs: endMs - performance.now() });
      if (shown.kind === 'failed') return shown.lost ? { kind: 'lost', before } : failed(shown.reason);
      const isUnderWay = hasJob(shown.values) || (verb !== 'stop' && isIdleStart(shown.values));
      if (!isUnderWay) return resultFromState(verb, unit, before, shown.values);
      if (limit.signal?.aborted || performance.now() >= endMs) return late(limit);
      // Reads the state at intervals too: systemd 239 does not signal every change before a job is done.
      await Promise.race([changed, systemClock.sleep(LOOK_MS)]);
    }
  } finally {
    for (const stop of stops) stop();
  }
}

const LOOK_MS = 200;
const LOST_PROPERTIES = {
  Unit: ['ActiveState', 'Job', 'InvocationID', ...FAILURE_PROPERTIES.Unit],
  Service: FAILURE_PROPERTIES.Service,
};

function resultFromState(verb: JobVerb, unit: string, before: string | undefined, values: Properties): ServiceCallResult {
  const state = textOf(values, 'ActiveState');
  if (verb === 'stop')
    return isDown({ activeState: state }) ? { kind: 'done' } : failed(`${RESULT_UNKNOWN}, and ${unit} is ${state}`);
  const invocation = invocationIn(values);
  // A unit that systemd has unloaded has no invocation: that is not a new one.
  const isNew = before !== undefined && invocation !== '' && invocation !== before;
  const cameUp = isUp({ activeState: state });
  // A oneshot has done its work and is at rest.
  const isFinished = state === 'inactive' && textOf(values, 'Result') === 'success';
  if (cameUp ? isNew || verb === 'start' : isFinished && isNew) return { kind: 'done' };
  // The unit is not up and has no job: systemd waits for its next try, or has given up. The result of an earlier run does not
  // answer the question.
  return failed(cameUp || isFinished || !isNew ? `${RESULT_UNKNOWN}, and ${unit} is ${state}` : describeFailure(unit, values));
}

const RESULT_UNKNOWN = 'the connection to systemd was lost meanwhile: how it ended is not known';

/**
 * Returns the result of a start whose job is done. systemd skips the start of a unit of any type if a condition is not met, or
 * if its ExecCondition= refuses.
 */
async function startResult(
  link: Pid1Link,
  unit: string,
  before: string | undefined,
  skippedStart: SkippedStart,
  limit: Limit,
): Promise<Step> {
  const { verdict } = skippedStart;
  if (verdict === 'started') return { kind: 'done' };
  if (verdict !== 'unknown') return skipped(unit, await skipReason(link, unit, verdict, WORDS_MS));
  const shown = await readProperties(link, unit, FAILURE_PROPERTIES, limit);
  if (shown.kind === 'failed')
    return shown.lost ? { kind: 'lost', before } : failed(`it is not known if systemd started it: ${shown.reason}`);
  if (textOf(shown.values, 'ActiveState') !== 'inactive') return { kind: 'done' };
  const isRefused = textOf(shown.values, 'Result') === 'exec-condition';
  const reason = unmetCondition(shown.values) ?? (isRefused ? EXEC_CONDITION_REFUSED : undefined);
  return reason === undefined ? { kind: 'done' } : skipped(unit, reason);
}

function skipped(unit: string, reason: string): ServiceCallResult {
  return failed(`systemd skipped its start: ${reason}, see systemctl status ${unit}`);
}

async function jobResult(link: Pid1Link, verb: JobVerb, unit: string, result: string): Promise<ServiceCallResult> {
  if (result === 'done') return { kind: 'done' };
  // It is not a failure if a unit did not need to be stopped.
  if (result === 'skipped' && verb === 'stop') return { kind: 'done' };
  if (result === 'assert') return failed(`${await skipReason(link, unit, 'Asserts', WORDS_MS)}, see systemctl status ${unit}`);
  if (result !== 'failed') return failed(jobWords(result, unit));
  const shown = await readProperties(link, unit, FAILURE_PROPERTIES, { timeoutMs: WORDS_MS });
  return failed(shown.kind === 'known' ? describeFailure(unit, shown.values) : jobWords(result, unit));
}

/** A moment to find the reason; the result is already certain. */
const WORDS_MS = 2000;

/**
 * Returns the current invocation of the unit, if systemd reports it; empty before the first. The question is sent right before
 * an order, and answered before it.
 */
async function invocationOf(link: Pid1Link, unit: string, limit: Limit): Promise<string | undefined> {
  const shown = await readProperties(link, unit, { Unit: ['InvocationID'], Service: [] }, limit);
  return shown.kind === 'known' ? invocationIn(shown.values) : undefined;
}

function invocationIn(values: Properties): string {
  const id = values.get('InvocationID');
  return Buffer.isBuffer(id) ? id.toString('hex') : '';
}

function failed(reason: string): ServiceCallResult {
  return { kind: 'failed', reason };
}
