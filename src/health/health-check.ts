import type { ManagedProcess } from '../core/alarm.ts';
import type { SectionReader } from '../core/config.ts';
import type { CheckResult, PreviewedCommand } from '../core/outcomes.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import type { CommandRunner } from '../system/runs/runner.ts';

/** A way of telling whether a process is well. The caller owns the repeating, the time limit and the log. */
export interface HealthCheck {
  /** For people: `health_check_url http://…` (no credentials). */
  readonly description: string;
  /** Why this check can never pass for the process (its name cannot stand for %s), in one line; asked before anything is restarted. */
  refusal?(process: ManagedProcess): string | undefined;
  /** The commands that it runs for the process, tried for `limitMs`; absent: none, and [] if its name keeps it from running. */
  commands?(process: ManagedProcess, limitMs: number): readonly PreviewedCommand[];
  /** One try. Ends within `timeoutMs`, or, as `unhealthy`, when `signal` aborts. Never rejects. */
  check(process: ManagedProcess, attempt: number, timeoutMs: number, signal: AbortSignal): Promise<CheckResult>;
}

/** What a check may use of the system. */
export interface HealthCheckParts {
  readonly commands: CommandRunner;
  readonly names: NameResolver;
}

/** What each kind of check gives the table in index.ts. */
export interface HealthCheckDefinition<Options> {
  /** Reads this kind's keys; undefined where none is configured for the process. */
  parse(section: SectionReader): Options | undefined;
  create(options: Options, parts: HealthCheckParts): HealthCheck;
}
