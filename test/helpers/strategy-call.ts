/**
 * One use of a real strategy on the real systemd, as a program of its own: `node strategy-call.ts JSON` prints JSON. For tests
 * that run it in a container.
 */
import { writeFileSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.ts';
import type { RestartPreview } from '../../src/core/outcomes.ts';
import { type HealthProof, proveHealthy } from '../../src/monitor/recovery/health-proof.ts';
import { parseStrategy } from '../../src/strategies/index.ts';
import type { RecoveryPlan } from '../../src/strategies/recovery-plan.ts';
import type { Resolution, RestartOutcome } from '../../src/strategies/strategy.ts';
import { Systemd } from '../../src/system/systemd/manager.ts';
import { strategyMemory } from './memory-state.ts';
import { attemptOn, FakeCommands, FakeSection, managed, never, silentLog } from './strategy-parts.ts';

/** Which strategy on which process. */
export interface StrategyCall {
  readonly name: string;
  /** `[process.NAME]`; `[process.default]` where `own` is false. */
  readonly section: Readonly<Record<string, string>>;
  readonly own?: boolean;
  /** Only resolve and preview; else restart and health check too. */
  readonly look?: boolean;
  /** A file that is made once it is decided what systemd is told to do, right before that. */
  readonly decided?: string;
}

/** What came of it. */
export interface StrategyReply {
  readonly resolution: Resolution;
  readonly preview: RestartPreview;
  readonly outcome: RestartOutcome | undefined;
  readonly restartMs: number;
  /** Undefined where the restart failed. */
  readonly health: HealthProof | undefined;
}

async function run({ name, section, own = true, look = false, decided }: StrategyCall): Promise<StrategyReply> {
  const reader = new FakeSection(own ? `process.${name}` : 'process.default', section);
  const strategy = parseStrategy(reader).create({
    services: decided === undefined ? new Systemd() : new TellingSystemd(decided),
    clock: systemClock,
    log: silentLog,
    commands: new FakeCommands(),
    ...strategyMemory(),
    programs: {
      starter: 1,
      unready: async () => undefined,
      launch: async () => ({ kind: 'failed', reason: 'no launcher here' }),
      retire: async () => {},
    },
  });
  const process = managed(name);
  const resolution = await strategy.resolve(process, never);
  const preview = await strategy.preview(process, never);
  const startedMs = systemClock.monotonicMs();
  const outcome = look ? undefined : await strategy.restart(attemptOn(process));
  const restartMs = systemClock.monotonicMs() - startedMs;
  const settings = {
    healthCheckTimeoutMs: reader.secondsAsMs('health_check_timeout', { default: 5 }),
    stableTimeMs: reader.secondsAsMs('stable_time', { default: 1 }),
  };
  const plan = { strategy, settings, checks: [], configured: own } as unknown as RecoveryPlan;
  const health = outcome?.kind === 'restarted' ? await proveHealthy(plan, process, 1, systemClock, never) : undefined;
  return { resolution, preview, outcome, restartMs, health };
}

/** Makes a file before each order. */
class TellingSystemd extends Systemd {
  readonly #file: string;

  constructor(file: string) {
    super();
    this.#file = file;
  }

  override call(...order: Parameters<Systemd['call']>): ReturnType<Systemd['call']> {
    writeFileSync(this.#file, '');
    return super.call(...order);
  }
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}'))));
}
