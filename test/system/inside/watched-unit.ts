import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { ProcessExitDetector } from '../../../src/detectors/exits/detector.ts';
import type { FormerLife } from '../../../src/detectors/exits/watch/parts.ts';
import { proveLasting } from '../../../src/monitor/recovery/health-proof.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import type { RecoveryPlan } from '../../../src/strategies/recovery-plan.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { quietDetectorParts } from '../../helpers/quiet-detector-parts.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { openRuns } from './runs.ts';

/** The detector on one name; the unit that the test gives it is gone after the test. */
export function detecting(
  t: TestContext,
  name: string,
  section: Readonly<Record<string, string>>,
  unit?: readonly string[],
  bootGraceMs?: number,
  { memory = strategyMemory(), former, isUnitRecovering = () => false }: Earlier = {},
) {
  const { programs, commands, services } = openRuns(t);
  const parts = { programs, commands, services, clock: systemClock, log: silentLog };
  const strategy = parseStrategy(new FakeSection(`process.${name}`, section)).create({ ...parts, ...memory });
  const path = `/run/systemd/system/${name}.service`;
  if (unit !== undefined) writeFileSync(path, `${unit.join('\n')}\n`);
  systemctl('daemon-reload');
  const quiet = quietDetectorParts();
  const { events } = quiet;
  const seen: number[] = [];
  const exits: boolean[] = [];
  const unasked: boolean[] = [];
  const alarms: string[] = [];
  events.subscribe((event) => {
    if (event.type === 'process_seen') seen.push(event.pid);
    if (event.type !== 'process_exited') return;
    exits.push(event.expected);
    unasked.push(event.unasked === true);
  });
  const find = async (signal: AbortSignal) =>
    (await strategy.findRunning?.(managed(name), signal)) ?? { kind: 'unknown' as const, reason: 'no means' };
  const log = new RecordedLog();
  const detector = new ProcessExitDetector({
    ...quiet,
    table: new ProcessTable(),
    services,
    clock: systemClock,
    log,
    raiser: { raise: async (_name, notes) => void alarms.push(notes) },
    isUnitRecovering,
    targets: () => [{ name, systemName: name, bootGraceMs, find, ...(former && { former }) }],
    lookMs: 100,
  });
  t.after(async () => {
    await detector.stop();
    await programs.retire(name, 10_000, never);
    await services.call('stop', `${name}.service`, 10_000, never);
    rmSync(path, { force: true });
    systemctl('daemon-reload');
  });
  detector.start();
  /** Waits until a process is seen that was not before; its pid. */
  let known = 0;
  const next = async (): Promise<number> => {
    await waitFor('a new life', () => seen.length > known);
    known = seen.length;
    return seen.at(-1) ?? 0;
  };
  const planOf = (healthCheckTimeoutMs: number) =>
    ({ strategy, settings: { healthCheckTimeoutMs, stableTimeMs: 1000 }, checks: [] }) as unknown as RecoveryPlan;
  return {
    strategy,
    exits,
    unasked,
    runs: () => detector.runs(name),
    /** Waits until systemd tells of its unit. */
    hears: () => waitFor('the bus', () => services.contact()?.units === 'bus'),
    alarms,
    /** What the detector has logged. */
    said: () => log.lines.map(({ message }) => message).join('\n'),
    next,
    /** The process that was seen last. */
    seen: () => seen.at(-1),
    stop: () => detector.stop(),
    restart: () => strategy.restart(attemptOn(managed(name))),
    /** `limitMs`: also how long it takes if the unit is not well. */
    health: (limitMs = 30_000) => proveLasting(planOf(limitMs), managed(name), 1, systemClock, never),
    preview: () => strategy.preview(managed(name), never),
    running: () => find(never),
  };
}

/** What an earlier life of the daemon has left, and what this one is about. */
export interface Earlier {
  readonly memory?: ReturnType<typeof strategyMemory>;
  readonly former?: FormerLife;
  readonly isUnitRecovering?: (unit: string) => boolean;
}

/** What systemd says of a unit. */
export function property(unit: string, name: string): string {
  return execFileSync('systemctl', ['show', '-P', name, unit], { encoding: 'utf8' }).trim();
}

/** One call of systemctl(1); throws if it fails. */
export function systemctl(...args: string[]): void {
  execFileSync('systemctl', args, { stdio: 'ignore' });
}

/** Writes a unit file; it is gone after the test. */
export function define(t: TestContext, unit: string, ...lines: string[]): void {
  const path = `/run/systemd/system/${unit}`;
  writeFileSync(path, `${lines.join('\n')}\n`);
  t.after(() => {
    // Of a template, or one that is gone already, there is nothing to stop.
    spawnSync('systemctl', ['stop', unit], { stdio: 'ignore' });
    rmSync(path, { force: true });
    systemctl('daemon-reload');
  });
  systemctl('daemon-reload');
}

/** The reason of an outcome that has to be a failure. */
export function reasonOf(outcome: { readonly kind: string; readonly reason?: string }): string {
  assert.equal(outcome.kind, 'failed', JSON.stringify(outcome));
  return outcome.reason ?? '';
}
