import type { ManagedProcess } from '../core/alarm.ts';
import type { SectionReader } from '../core/config.ts';
import type { CheckResult, PreviewedCommand } from '../core/outcomes.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import type { CommandRunner } from '../system/runs/runner.ts';

/** One way to find out whether a process is healthy. The caller does the repeating, the time limit and the logging. */
export interface HealthCheck {
  /** For people: `health_check_url http://…` (without credentials). */
  readonly description: string;
  /**
   * Why this check can never pass for the process (its name cannot replace %s), in one line. Asked before anything is
   * restarted.
   */
  refusal?(process: ManagedProcess): string | undefined;
  /**
   * The commands that it runs for the process, each within `limitMs`. Absent: none. []: the process name keeps it from running.
   */
  commands?(process: ManagedProcess, limitMs: number): readonly PreviewedCommand[];
  /** One try. Ends within `timeoutMs`, or with `unhealthy` when `signal` aborts. Never rejects. */
  check(process: ManagedProcess, attempt: number, timeoutMs: number, signal: AbortSignal): Promise<CheckResult>;
}

/** The parts of the system that a check may use. */
export interface HealthCheckParts {
  readonly commands: CommandRunner;
  readonly names: NameResolver;
}

/** What each kind of check provides for the table in index.ts. */
export interface HealthCheckDefinition<Options> {
  /** Reads this kind's keys; undefined if none is configured for the process. */
  parse(section: SectionReader): Options | undefined;
  create(options: Options, parts: HealthCheckParts): HealthCheck;
}
