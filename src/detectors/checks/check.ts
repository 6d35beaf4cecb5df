// The port of checks: what each type of `[check.NAME]` provides.
import type { Clock } from '../../core/clock.ts';
import type { SectionReader } from '../../core/config.ts';
import type { AsksWorker } from '../../probes/worker/client.ts';
import type { StrategyParts } from '../../strategies/strategy.ts';
import type { NameResolver } from '../../system/names/resolver.ts';
import type { TakeLook } from '../../system/proc/look.ts';
import type { CommandRunner } from '../../system/runs/runner.ts';
import type { ServiceManager } from '../../system/systemd/service-manager.ts';

/**
 * What one look at the target found. `failing` only if the target was seen to be other than it has to be; if it could not be looked at:
 * `unknown`. `reason`: one line, printable, without a secret.
 */
export type Reading =
  | { readonly kind: 'ok' }
  /** `isWarning`: the look itself says that it is only a warning (a plugin's exit code 1). */
  | { readonly kind: 'failing'; readonly reason: string; readonly isWarning?: true }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A way to look at one target. */
export interface CheckTarget {
  /** What is looked at, for people: `unit nginx.service`, without secrets. */
  readonly description: string;
  /** One look. Ends within `timeoutMs`, or when `signal` aborts; never rejects. */
  look(timeoutMs: number, signal: AbortSignal): Promise<Reading>;
}

/** What the types may use of the system. */
export interface CheckParts {
  readonly commands: CommandRunner;
  readonly services: ServiceManager;
  readonly names: NameResolver;
  readonly clock: Clock;
  /** One look at all processes, shared by all callers at the same time. */
  readonly look: TakeLook;
  /** What finds the processes of a program. */
  readonly programs: StrategyParts;
  /** What looks at the network, without root. */
  readonly worker: AsksWorker;
}

/** The check as its section says, without the keys of its type. */
export interface CheckIdentity {
  /** NAME of `[check.NAME]`. */
  readonly name: string;
  /** `process`: whose alarm it raises; undefined: nobody's. */
  readonly processName: string | undefined;
  /** `system_name` of that process, else its name, else the check's: what is looked at if the check itself does not say. */
  readonly systemName: string;
}

/** What each type provides for the table in types/index.ts. */
export interface CheckType<Options> {
  /** The keys that `parse` asks for: in a section of another type they have no effect. */
  readonly keys: readonly string[];
  /** Those of them that `parse` reads as secrets; absent: none. */
  readonly secretKeys?: readonly string[];
  /**
   * Reads the keys of this type from a section of it; reports problems to the reader. `ofProcess`: the section of its process, if there is
   * one. Undefined if it cannot be looked at.
   */
  parse(section: SectionReader, check: CheckIdentity, ofProcess?: SectionReader): Options | undefined;
  create(options: Options, check: CheckIdentity, parts: CheckParts): CheckTarget;
}
