// The port of checks: what each type of `[check.NAME]` provides.
import type { Clock } from '../../core/clock.ts';
import type { SectionReader } from '../../core/config.ts';
import type { AsksWorker } from '../../probes/worker/client.ts';
import type { StrategyParts } from '../../strategies/strategy.ts';
import type { FileHelpers } from '../../system/helpers/file-helpers.ts';
import type { NameResolver } from '../../system/names/resolver.ts';
import type { TakeLook } from '../../system/proc/look.ts';
import type { CommandRunner } from '../../system/runs/runner.ts';
import type { ServiceManager } from '../../system/systemd/service-manager.ts';

/**
 * What one look found about the target, or about one part of it. `failing` only if it was seen to be other than it has to be; if it could
 * not be looked at: `unknown`. `reason`: one line, printable, without a secret.
 */
export type Finding =
  | { readonly kind: 'ok' }
  /**
   * `isWarning`: the look itself says that it is only a warning (a plugin's exit code 1). `isEvent`: it has happened, and no further look
   * can see it again, so that it counts at once.
   */
  | { readonly kind: 'failing'; readonly reason: string; readonly isWarning?: true; readonly isEvent?: true }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * What one look found. `parts`: about each part that has a state of its own, by its name, such as `certificate`; absent if the look says
 * nothing about parts.
 */
export type Reading = Finding & { readonly parts?: Readonly<Record<string, Finding>> };

/** A way to look at one target. */
export interface CheckTarget {
  /** What is looked at, for people: `unit nginx.service`, without secrets. */
  readonly description: string;
  /**
   * One look. Ends within `timeoutMs`, or when `signal` aborts; never rejects. `isAside`: it counts for nothing, so that an event which it
   * sees is still news for the next look.
   */
  look(timeoutMs: number, signal: AbortSignal, isAside?: boolean): Promise<Reading>;
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
  /** What looks at files and filesystems. */
  readonly files: FileHelpers;
  /** What looks at the network, without root. */
  readonly worker: AsksWorker;
  /** What is known of another check, or of a part of one; undefined: there is no such check. Ends as a look does. Never rejects. */
  readonly ofCheck: (name: string, timeoutMs: number, signal: AbortSignal) => Promise<Finding | undefined>;
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
  /** True if each of its parts has a state, and the check as a whole has none. */
  readonly hasOnlyParts?: true;
  /**
   * Reads the keys of this type from a section of it; reports problems to the reader. `ofProcess`: the section of its process, if there is
   * one. Undefined if it cannot be looked at.
   */
  parse(section: SectionReader, check: CheckIdentity, ofProcess?: SectionReader): Options | undefined;
  /** The names of the checks that it asks for (CheckParts.ofCheck); absent: none. */
  members?(options: Options): readonly string[];
  create(options: Options, check: CheckIdentity, parts: CheckParts): CheckTarget;
}
