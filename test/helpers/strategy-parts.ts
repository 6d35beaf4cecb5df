import type { ManagedProcess } from '../../src/core/alarm.ts';
import type { SectionReader } from '../../src/core/config.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { RestartAttempt } from '../../src/strategies/strategy.ts';
import type { CommandRunner, ShellCommand } from '../../src/system/runs/runner.ts';
import type { CommandResult } from '../../src/system/spawn/command-result.ts';
import type { FakeClock } from './fake-clock.ts';

/** A logger that keeps nothing. */
export const silentLog: Logger = { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} };

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal;

/** A process of that name, as the database has it. */
export function managed(processName: string, systemName?: string): ManagedProcess {
  return {
    processId: '7',
    processName,
    systemName: systemName ?? processName,
    systemNameConfigured: systemName !== undefined,
  };
}

/** A first attempt. */
export function attemptOn(process: ManagedProcess, signal = never): RestartAttempt {
  return { process, attempt: 1, runId: 'run-1', signal };
}

/** Lets the clock run until `promise` has settled. */
export async function settled<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let done = false;
  void promise.finally(() => {
    done = true;
  });
  await clock.until(() => done);
  return promise;
}

/** Commands that end as the test says; what was run is kept. */
export class FakeCommands implements CommandRunner {
  readonly ran: ShellCommand[] = [];
  result: CommandResult = { kind: 'exited', exitCode: 0, output: '' };

  async run(command: ShellCommand): Promise<CommandResult> {
    this.ran.push(command);
    return this.result;
  }

  async waitForRun(): Promise<'not_found'> {
    return 'not_found';
  }
}

/** A section from plain texts; what is reported stands in `reports`. */
export class FakeSection implements SectionReader {
  readonly section: string;
  readonly reports: string[] = [];
  readonly #values: Readonly<Record<string, string>>;

  constructor(section: string, values: Readonly<Record<string, string>> = {}) {
    this.section = section;
    this.#values = values;
  }

  has(key: string): boolean {
    return key in this.#values;
  }

  text(key: string): string | undefined {
    return this.#values[key] || undefined;
  }

  command(key: string): string | undefined {
    return this.text(key);
  }

  secret(key: string): string | undefined {
    return this.text(key);
  }

  keys(): string[] {
    return Object.keys(this.#values);
  }

  integer(key: string, options: { default: number }): number {
    return Number(this.text(key) ?? options.default);
  }

  secondsAsMs(key: string, options: { default: number }): number {
    return Number(this.text(key) ?? options.default) * 1000;
  }

  boolean(key: string, fallback: boolean): boolean {
    return this.text(key) === undefined ? fallback : this.text(key) === 'true';
  }

  choice<T extends string>(key: string, values: readonly T[], fallback: T): T {
    return values.find((value) => value === this.text(key)) ?? fallback;
  }

  list(key: string): string[] {
    return this.text(key)?.split(',') ?? [];
  }

  problem(key: string, problem: string): void {
    this.reports.push(`error ${key}: ${problem}`);
  }

  refuse(key: string, problem: string): void {
    this.problem(key, problem);
  }

  warning(key: string, problem: string): void {
    this.reports.push(`warning ${key}: ${problem}`);
  }
}
