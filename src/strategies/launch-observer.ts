// Records how programs were started while they run, round after round.
import type { Clock } from '../core/clock.ts';
import type { MonitorSettings } from '../core/config.ts';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { AlarmStore } from '../stores/store.ts';
import { ProcessLook } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import type { Concerns } from './concerns.ts';
import { managedProcess, type Plans } from './recovery-plan.ts';

/** At least this long between two rounds: programs are examined far less often than the database may be polled. */
const ROUND_MS = 30_000;
/** How often the names of processes without a section are read from the store, and how many of them are watched at most. */
const NAMES_MS = 600_000;
const NAMES_LIMIT = 5000;
/** A systemd that hangs must not delay the rounds. */
const UNITS_MS = 10_000;
const LEAST_PAUSE_MS = 1000;

/** What the observer needs. */
interface LaunchObserverParts {
  readonly config: { current(): LaunchConfig };
  readonly concerns: Concerns;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is looked at, as configured now. */
interface LaunchConfig {
  readonly monitor: Pick<MonitorSettings, 'checkIntervalMs' | 'onlyConfigured'>;
  readonly processNames: readonly string[];
  readonly plans: Plans;
  readonly store: Pick<AlarmStore, 'listNames'>;
}

/**
 * Records how the monitored programs were started, while they live: at the time of an alarm they are mostly dead. Each round
 * takes one look at the process table; only what runs is examined more closely. Then it determines which of them would not be
 * started again.
 */
export class LaunchObserver {
  readonly #parts: LaunchObserverParts;
  readonly #table = new ProcessTable();
  #names: readonly string[] = [];
  #again = new AbortController();
  #namesAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LaunchObserverParts) {
    this.#parts = parts;
  }

  /** Looks again at once: a reload may have brought new names. */
  lookAgain(): void {
    this.#namesAtMs = Number.NEGATIVE_INFINITY;
    this.#parts.concerns.forget();
    this.#again.abort('reloaded');
  }

  /** Looks round after round until `stopping` aborts. */
  async run(stopping: AbortSignal): Promise<void> {
    const { config, clock, log } = this.#parts;
    while (!stopping.aborted) {
      this.#again = new AbortController();
      const againMs = await this.lookAtUnits(stopping);
      await this.look().catch((error: unknown) => log.debug(`Cannot look at the running programs: ${errorMessage(error)}`));
      const pauseMs = Math.max(ROUND_MS, Math.min(config.current().monitor.checkIntervalMs, NAMES_MS));
      await clock.sleep(Math.min(pauseMs, againMs), AbortSignal.any([stopping, this.#again.signal]));
    }
  }

  /**
   * One look at the configured units; those that are not reached in time are looked at in the next round. Returns in how many
   * milliseconds that has to be at the latest; Infinity if it can wait. Never rejects.
   */
  async lookAtUnits(stopping: AbortSignal): Promise<number> {
    const { plans, processNames } = this.#parts.config.current();
    let againMs = Number.POSITIVE_INFINITY;
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(UNITS_MS)]);
    for (const name of processNames) {
      if (signal.aborted) break;
      const plan = plans(name);
      const inMs = await plan.strategy.observeUnit?.(managedProcess(name, plan), signal);
      if (inMs !== undefined) againMs = Math.min(againMs, Math.max(inMs, LEAST_PAUSE_MS));
    }
    return againMs;
  }

  /** One round. */
  async look(): Promise<void> {
    const { config, concerns } = this.#parts;
    const { plans, processNames } = config.current();
    const names = [...new Set([...processNames, ...(await this.#unconfiguredNames())])];
    const watched = names.filter((name) => plans(name).strategy.observe !== undefined);
    if (watched.length === 0) return concerns.look([]);
    const look = await ProcessLook.take(this.#table);
    for (const name of watched) {
      const plan = plans(name);
      const process = managedProcess(name, plan);
      // A process with a section may be known by something other than its name, too.
      if (plan.configured || look.calledBy(process.systemName).length > 0)
        await plan.strategy.observe?.(process, async () => look);
    }
    await concerns.look(watched, async () => look);
  }

  async #unconfiguredNames(): Promise<readonly string[]> {
    const { config, clock } = this.#parts;
    const { monitor, plans, store } = config.current();
    // A name that cannot have a section stands for all that have none.
    if (monitor.onlyConfigured || plans('').strategy.observe === undefined) return [];
    if (clock.monotonicMs() - this.#namesAtMs < NAMES_MS) return this.#names;
    // If the database does not answer, the names that are known are still examined.
    const names = await store.listNames(NAMES_LIMIT).catch(() => undefined);
    if (names === undefined) return this.#names;
    this.#namesAtMs = clock.monotonicMs();
    this.#names = names;
    return this.#names;
  }
}
