import type { CheckParts, Reading } from '../../src/detectors/checks/check.ts';
import { Checks } from '../../src/detectors/checks/checks.ts';
import type { ParsedCheck } from '../../src/detectors/checks/parse-checks.ts';
import type { CheckSettings } from '../../src/detectors/checks/settings.ts';
import type { Answer } from '../../src/probes/worker/answer.ts';
import type { Work } from '../../src/probes/worker/work.ts';
import { type FakeProcess, MonitorWorld } from './monitor-world.ts';

/** A check of the fake world: what a look finds, and after how many milliseconds. */
export interface FakeCheck extends Partial<CheckSettings> {
  reading: () => Reading | Promise<Reading>;
  takesMs?: number | (() => number);
  /** What distinguishes its target from another one. */
  target?: string;
  hasOnlyParts?: true;
}

const defaults: Omit<CheckSettings, 'name' | 'systemName'> = {
  processName: undefined,
  intervalMs: 60_000,
  retryIntervalMs: 15_000,
  timeoutMs: 5000,
  failureThreshold: 3,
  successThreshold: 2,
  severity: 'critical',
  dependsOn: [],
  startGraceMs: 30_000,
  schedule: undefined,
  description: undefined,
  runbook: undefined,
  showTarget: true,
  isEnabled: true,
};

/** What a look can find. */
export const ok: Reading = { kind: 'ok' };
export const unknown: Reading = { kind: 'unknown', reason: 'no answer' };
export function failing(reason = 'status 503'): Reading {
  return { kind: 'failing', reason };
}

/** The monitor of MonitorWorld with checks, whose looks find what the test says. */
export class CheckWorld extends MonitorWorld {
  readonly checks: Checks;
  /** How often each check has looked. */
  readonly looks = new Map<string, number>();
  concurrency = 50;
  /** What the worker answers. */
  worker: (work: Work) => Answer = () => ({ kind: 'unknown', reason: 'no worker' });
  #configured: readonly ParsedCheck[] = [];
  #loop: Promise<void> | undefined;

  constructor(...args: ConstructorParameters<typeof MonitorWorld>) {
    super(...args);
    this.checks = new Checks({
      config: () => ({
        checks: this.#configured,
        checkConcurrency: this.concurrency,
        observes: this.settings.mode === 'observe',
      }),
      targets: { worker: { ask: async (work: Work) => this.worker(work) } } as unknown as CheckParts,
      records: this.state.checkStates,
      raiser: this.alarms,
      isRecovering: (name) => this.queue.isRecovering(name, name),
      isInAlarm: (name) => [...this.rows.values()].some((row) => row.processName === name && row.alarma),
      clock: this.clock,
      events: this.bus,
      log: this.logger,
    });
    this.furtherChecks = (name) => this.checks.ofFailing(name);
    this.afterRecovery = (name) => this.checks.started(name, 0);
  }

  /** Configures these checks, and begins or goes on to look. */
  configure(checks: Readonly<Record<string, FakeCheck>>): void {
    const isFirst = this.#configured.length === 0;
    this.#configured = Object.entries(checks).map(([name, check]) => this.#parsed(name, check));
    if (isFirst) this.checks.start();
    else this.checks.reconfigure();
  }

  /** Adds a row that is not in alarm. */
  row(processId: number, processName: string, how: FakeProcess = {}): void {
    this.alarm(processId, processName, how);
    Object.assign(this.rows.get(String(processId)) ?? {}, { alarma: false });
  }

  /** Lets the daemon run for that long: the poll loop and the checks. */
  async live(ms: number): Promise<void> {
    const end = this.clock.monotonicMs() + ms;
    this.#loop ??= this.monitor.run(this.stopping.signal);
    await this.clock.until(() => this.clock.monotonicMs() >= end, ms + 3_600_000);
  }

  /** The states that a check went through, as its events say. */
  states(name: string): string[] {
    return this.seen('check_changed')
      .filter((event) => event.name === name)
      .map(({ to }) => to);
  }

  #parsed(name: string, { reading, takesMs = 10, target = '', hasOnlyParts, ...settings }: FakeCheck): ParsedCheck {
    const whole: CheckSettings = { ...defaults, name, systemName: settings.processName ?? name, ...settings };
    return {
      settings: whole,
      type: 'command',
      options: target,
      ...(hasOnlyParts && { hasOnlyParts }),
      create: () => ({
        description: `fake ${name}`,
        look: async (timeoutMs, signal) => {
          this.looks.set(name, (this.looks.get(name) ?? 0) + 1);
          const lastsMs = typeof takesMs === 'number' ? takesMs : takesMs();
          await this.clock.sleep(Math.min(lastsMs, timeoutMs), signal);
          return reading();
        },
      }),
    };
  }
}
