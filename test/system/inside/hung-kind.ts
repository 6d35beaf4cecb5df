import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../../../src/core/clock.ts';
import { proveHealthy } from '../../../src/monitor/recovery/health-proof.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import type { RecoveryPlan } from '../../../src/strategies/recovery-plan.ts';
import type { RestartOutcome } from '../../../src/strategies/strategy.ts';
import { survives } from '../../helpers/caught-signals.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { knownUnits, openRuns } from './runs.ts';
import { property, systemctl } from './watched-unit.ts';

// What a strategy must do with a unit that hangs in its start or fails: hung-units.ts, hung-idle-units.ts.

/** Long enough for this machine to start what starts at once, short enough to be waited for. */
export const COMMAND_TIMEOUT_S = 6;
/** For what is no wait: twice `command_timeout` is the limit of an attempt, and a busy machine takes its time. */
export const SLACK_MS = 30_000;

/** What hangs in its start until it is mended, and what by hand a restart brings up at once. */
export interface HungStart {
  readonly service: readonly string[];
  /** The states in which it hangs: `activating/start`. */
  readonly where: string;
  readonly why: RegExp;
}

/** What fails when it is started, and what is said of that. */
export interface FailingUnit {
  readonly lines: readonly string[];
  readonly why: RegExp;
  readonly output?: readonly string[];
}

/** `index`: makes the unit's name, with the strategy. */
export function testHungStart(strategy: string, index: number, what: string, { service, where, why }: HungStart): void {
  test(`${strategy}: ${what} that hangs in its start is restarted by force within the attempt`, async (t) => {
    const name = `hung-start-${strategy}-${index}`;
    const { unit, begin, mend, until, restart, health } = openUnit(
      t,
      name,
      strategy,
      '[Service]',
      'TimeoutStartSec=infinity',
      ...service,
    );
    begin();
    await until(where);
    // Nothing helps as long as the cause is there: the reason is systemd's, and the attempt has an end.
    const hopeless = await restart();
    assert.match(reasonOf(hopeless.outcome), new RegExp(`^restarted by force, and ${name}\\.service is activating`));
    assert.match(reasonOf(hopeless.outcome), why);
    assert.ok(hopeless.tookMs < 2000 * COMMAND_TIMEOUT_S + SLACK_MS, `${hopeless.tookMs}`);
    assert.deepEqual(knownUnits('monitor_service-app-*'), [], 'not given up meanwhile');
    mend();
    const { outcome, tookMs } = await restart();
    assert(outcome.kind === 'restarted', JSON.stringify(outcome));
    assert.match(outcome.detail, /^systemctl (re)?start \S+ by force: it was activating/);
    assert.ok(tookMs < 2000 * COMMAND_TIMEOUT_S + SLACK_MS, `${tookMs}`);
    assert.notEqual((await health()).kind, 'unhealthy');
    assert.match(property(unit, 'Result'), /^success$/);
    assert.deepEqual(knownUnits('monitor_service-app-*'), []);
  });
}

/** `index`: makes the unit's name. */
export function testFailure(index: number, what: string, { lines, why, output }: FailingUnit): void {
  test(`the reason is systemd's, with the last lines of the unit: ${what}`, async (t) => {
    const { unit, restart, health, explain } = openPatiently(t, `fails-${index}`, 'service', 60, lines);
    const { outcome } = await restart();
    let [reason, said] = ['', [] as readonly string[]];
    if (outcome.kind === 'failed') [reason, said] = [reasonOf(outcome), outcome.output ?? []];
    else {
      // A simple one counts as started at once: then it is the health check that fails.
      const proof = await health(4000);
      assert(proof.kind === 'unhealthy', JSON.stringify(proof));
      const told = await explain();
      [reason, said] = [`${proof.reason}: ${told?.reason}`, told?.output ?? []];
    }
    assert.match(reason, why);
    assert.ok(reason.includes(unit));
    if (output !== undefined) assert.deepEqual(said, output);
    else assert.ok(said.length <= 5);
  });
}

/** A unit of the test's own and the strategy that restarts it; with `auto` there is a start_command too, which must not be used. */
export function openUnit(t: TestContext, name: string, strategy: string, ...lines: readonly string[]) {
  return openPatiently(t, name, strategy, COMMAND_TIMEOUT_S, lines);
}

/** `openUnit` with a command_timeout of its own, in seconds. */
export function openPatiently(
  t: TestContext,
  name: string,
  strategy: string,
  commandTimeoutS: number,
  lines: readonly string[],
) {
  const { programs, commands, services } = openRuns(t);
  let onCall = (): void => {};
  const { call } = services;
  services.call = (...order) => {
    onCall();
    return call.apply(services, order);
  };
  const section = {
    restart_strategy: strategy,
    command_timeout: String(commandTimeoutS),
    ...(strategy === 'auto' && { start_command: `exec -a ${name} sleep 600` }),
  };
  const parts = { programs, commands, services, clock: systemClock, log: silentLog, ...strategyMemory() };
  const used = parseStrategy(new FakeSection(`process.${name}`, section)).create(parts);
  const unit = `${name}.service`;
  const ok = `/run/${name}.ok`;
  const path = `/run/systemd/system/${unit}`;
  // Not execFileSync(): that would hold up all that is tested beside it.
  const shell = async (line: string): Promise<string> => (await promisify(execFile)('sh', ['-c', `${line}; true`])).stdout;
  const shown = async (): Promise<string> => {
    const said = await shell(`systemctl show --value -p ActiveState -p SubState ${unit}`);
    return said.trim().replace('\n', '/');
  };
  // Under a new name it needs no daemon-reload, which would forget how the commands of others went.
  writeFileSync(path, `${lines.join('\n').replaceAll('%OK%', ok)}\n`);
  t.after(async () => {
    await programs.retire(name, 10_000, never);
    writeFileSync(ok, '');
    await shell(`systemctl stop --no-block ${unit}`);
    await waitFor('its end', async () => {
      await shell(`systemctl kill -s KILL ${unit}; systemctl reset-failed ${unit}`);
      return (await shown()).startsWith('inactive/');
    });
    for (const file of [path, ok]) rmSync(file, { force: true });
  });
  const settings = (healthCheckTimeoutMs: number) => ({ healthCheckTimeoutMs, stableTimeMs: 1000 });
  return {
    unit,
    begin: () => systemctl('start', '--no-block', unit),
    /** Waits until its main process has set its trap for SIGTERM. */
    traps: () => survives(Number(property(unit, 'MainPID')), 'SIGTERM'),
    mend: () => writeFileSync(ok, ''),
    until: (state: string) => waitFor(state, async () => (await shown()).includes(state)),
    /** `decided` is called right before systemd is told what to do. */
    restart: async (decided = (): void => {}) => {
      onCall = decided;
      const startedMs = systemClock.monotonicMs();
      const outcome = await used.restart(attemptOn(managed(name)));
      return { outcome, tookMs: systemClock.monotonicMs() - startedMs };
    },
    /** `limitMs`: how long one that is not well is waited for. */
    health: (limitMs = 30_000) => {
      const plan = { strategy: used, settings: settings(limitMs), checks: [] } as unknown as RecoveryPlan;
      return proveHealthy(plan, managed(name), 1, systemClock, never);
    },
    explain: () => used.explain?.(managed(name), never),
    preview: () => used.preview(managed(name), never),
  };
}

/** The reason of an outcome that has to be a failure, in one line and in systemd's words. */
export function reasonOf(outcome: RestartOutcome): string {
  assert(outcome.kind === 'failed', JSON.stringify(outcome));
  assert.doesNotMatch(outcome.reason, /\n|aborted|no answer|does not say|does not answer/);
  return outcome.reason;
}
