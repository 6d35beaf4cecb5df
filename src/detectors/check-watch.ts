// The checks of the configuration: loads them when the first section `[check.NAME]` is there, and follows reloads.
import { errorMessage } from '../core/errors.ts';
import type { HealthCheck } from '../health/health-check.ts';
import type { Finding } from './checks/check.ts';
import type { Checks, ChecksParts, ConfiguredChecks } from './checks/checks.ts';
import type { ParsedCheck } from './checks/parse-checks.ts';
import { checkOf, partName } from './checks/part-names.ts';
import type { RunningCheck } from './checks/running-check.ts';
import { foundOf } from './checks/worst.ts';
import type { RecoveryFollower } from './detector.ts';

/** What is known before the monitor is built. */
interface CheckWatchParts extends Pick<ChecksParts, 'targets' | 'records' | 'clock' | 'events' | 'log'> {
  /** As configured now. */
  readonly config: { current(): ConfiguredChecks };
}

/** What the checks use while they run. */
type CheckWatchStart = Pick<ChecksParts, 'raiser' | 'isRecovering' | 'isInAlarm'>;

/** What one look for an order found. */
interface LookedNow {
  /** What was looked at. */
  readonly target: string;
  /** About the check as a whole, or about its parts, by their names. */
  readonly found: readonly { readonly name: string; readonly finding: Finding }[];
}

/** Runs the checks while there are any. */
export class CheckWatch implements Pick<RecoveryFollower, 'afterRecovery'> {
  readonly #parts: CheckWatchParts;
  #started: CheckWatchStart | undefined;
  #checks: Checks | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: CheckWatchParts) {
    this.#parts = parts;
  }

  /** Begins to look. */
  start(start: CheckWatchStart): void {
    this.#started = start;
    this.reconfigure();
  }

  /** Applies the configured checks after a reload. */
  reconfigure(): void {
    this.#last = this.#last.then(() => this.#follow());
  }

  /** Ends all looks. Idempotent. */
  async stop(): Promise<void> {
    this.#started = undefined;
    await this.#last;
    await this.#checks?.stop();
    this.#checks = undefined;
  }

  /** Checks.ofFailing; none while there are no checks. */
  readonly ofFailing = (processName: string): readonly HealthCheck[] => this.#checks?.ofFailing(processName) ?? [];

  /** What is known of each check; undefined if there are none. */
  list(): readonly RunningCheck[] | undefined {
    const running = this.#checks?.list() ?? [];
    return running.length === 0 ? undefined : running;
  }

  /** One look for an order, whether or not the check runs; it changes no state. Never rejects. */
  async lookNow(check: ParsedCheck, signal: AbortSignal): Promise<LookedNow> {
    const { name, timeoutMs } = check.settings;
    const target = check.create({ ...this.#parts.targets, ofCheck: (other, ms, ended) => this.#ofOther(other, ms, ended) });
    const reading = await (this.#checks?.lookAside(name, signal) ?? target.look(timeoutMs, signal));
    const { findingsOf } = await import('./checks/states.ts');
    const found = findingsOf(reading, check.hasOnlyParts).map(([part, finding]) => ({ name: partName(name, part), finding }));
    return { target: target.description, found };
  }

  /** What a look at another check finds now: without a daemon nothing is known of it. */
  async #ofOther(name: string, timeoutMs: number, signal: AbortSignal): Promise<Finding | undefined> {
    const check = this.#parts.config.current().checks.find(({ settings }) => settings.name === checkOf(name));
    if (check === undefined) return undefined;
    const { found } = await this.lookNow({ ...check, settings: { ...check.settings, timeoutMs } }, signal);
    return foundOf(name, found, check.settings.severity === 'warning');
  }

  afterRecovery(processName: string): void {
    this.#checks?.started(processName, 0);
  }

  /** A watched process runs; it was started `agoMs` milliseconds ago. */
  seen(processName: string, agoMs: number): void {
    this.#checks?.started(processName, agoMs);
  }

  async #follow(): Promise<void> {
    const { config, records, log } = this.#parts;
    if (this.#started === undefined) return;
    if (this.#checks !== undefined) {
      this.#checks.reconfigure();
      return;
    }
    // What an earlier run of the daemon knew has to end too.
    if (config.current().checks.length === 0 && records.list().length === 0) return;
    try {
      const { Checks } = await import('./checks/checks.ts');
      this.#checks = new Checks({ ...this.#parts, ...this.#started, config: () => config.current() });
      this.#checks.start();
    } catch (error) {
      log.error(`Checks are not available: ${errorMessage(error)}`, { err: error });
    }
  }
}
