import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ManagedProcess } from '../../src/core/alarm.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { LaunchRecord } from '../../src/core/program/launch-record.ts';
import type { ProcessOptions } from '../../src/strategies/process/options.ts';
import { ProcessStrategy } from '../../src/strategies/process/strategy.ts';
import type { RestartAttempt, StrategyParts } from '../../src/strategies/strategy.ts';
import { DirectLauncher } from '../../src/system/launch/direct.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { DirectCommandRunner } from '../../src/system/runs/direct.ts';
import { RunFiles } from '../../src/system/runs/files.ts';
import type { ServiceManager } from '../../src/system/systemd/service-manager.ts';
import { strategyMemory } from './memory-state.ts';
import { openZoo, type ProcessZoo } from './process-zoo.ts';
import { never } from './strategy-parts.ts';

/** The process strategy over real programs, with the launcher and the command runner that need no systemd. */
export interface ProcessStrategyWorld {
  readonly zoo: ProcessZoo;
  readonly table: ProcessTable;
  readonly parts: StrategyParts;
  /** Warnings that were logged. */
  readonly warnings: string[];
  /** Records that programs were started from. */
  readonly launched: LaunchRecord[];
  /** Over this machine's process table unless said otherwise. */
  strategy(options?: Partial<ProcessOptions>, of?: ProcessTable): ProcessStrategy;
}

/** Opens one for one test. */
export function processStrategyWorld(t: TestContext): ProcessStrategyWorld {
  const zoo = openZoo(t);
  const table = new ProcessTable();
  const warnings: string[] = [];
  const ignore = (): void => {};
  const log: Logger = { debug: ignore, info: ignore, warning: (message) => void warnings.push(message), error: ignore };
  const files = new RunFiles({ dir: join(zoo.dir, 'runs'), log });
  const programs = new DirectLauncher(files);
  const launched: LaunchRecord[] = [];
  // Everything that is started gets the mark of the zoo, by which it is found and ended after the test.
  const mark = { ZOO: zoo.dir };
  const commands = new DirectCommandRunner(files);
  const parts: StrategyParts = {
    commands: {
      run: (command, signal) => commands.run({ ...command, environment: { ...command.environment, ...mark } }, signal),
      waitForRun: (...args) => commands.waitForRun(...args),
    },
    programs: {
      starter: programs.starter,
      unready: () => programs.unready(),
      launch: (launch, graceMs, signal) => {
        const { what } = launch;
        if (what.kind === 'argv') launched.push(what.record);
        const marked = what.kind === 'argv' ? what : { ...what, environment: { ...what.environment, ...mark } };
        return programs.launch({ ...launch, what: marked }, graceMs, signal);
      },
      retire: () => programs.retire(),
    },
    services: noSystemd,
    clock: systemClock,
    log,
    ...strategyMemory(),
  };
  const strategy = (options: Partial<ProcessOptions> = {}, of = table): ProcessStrategy =>
    new ProcessStrategy({ ...DEFAULTS, ...options }, parts, of);
  return { zoo, table, parts, warnings, launched, strategy };
}

const DEFAULTS: ProcessOptions = {
  configured: false,
  startCommand: undefined,
  stopCommand: undefined,
  stopSignal: 15,
  stopTimeoutMs: 20_000,
  supervisorWaitMs: 10_000,
  maxMatches: 1,
  user: undefined,
  anyUser: false,
  pidFile: undefined,
  argument: undefined,
  commandTimeoutMs: 20_000,
  stableTimeMs: 1000,
};

/** A row for a program of this name. */
export function managed(systemName: string, configured = false): ManagedProcess {
  return { processId: '1', processName: configured ? 'row' : systemName, systemName, systemNameConfigured: configured };
}

/** A first attempt for it. */
export function attemptFor(systemName: string, configured = false, signal = new AbortController().signal): RestartAttempt {
  return { process: managed(systemName, configured), attempt: 1, runId: `run-${randomUUID()}`, signal };
}

/** What a restart would stop, its pids too, and why it would not. */
export async function looked(world: ProcessStrategyWorld, name: string, options: Partial<ProcessOptions> = {}) {
  const { stops, refusals, warnings = [] } = await world.strategy(options).preview(managed(name, true), never);
  return { pids: stops.map((line) => Number(/^pid (\d+)/.exec(line)?.[1])), stops, refusals, warnings };
}

/** A machine whose PID 1 is no systemd. */
export const noSystemd: ServiceManager = {
  available: false,
  show: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  end: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  signalledEnd: () => undefined,
  relations: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  program: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  killMode: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  remainsAfterExit: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  call: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  kill: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  restartDue: () => Promise.resolve({ kind: 'failed', reason: 'no systemd' }),
  conditions: () => Promise.resolve(undefined),
  explain: () => Promise.resolve({ reason: undefined, output: [] }),
  watch: () => () => {},
  contact: () => undefined,
};
