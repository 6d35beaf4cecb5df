import { errorMessage } from '../core/errors.ts';
import { managedProcess } from '../strategies/recovery-plan.ts';
import { ProcessLook } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import type { Core } from './app.ts';

/** At most so often: programs are looked at far more rarely than the database may be. */
const ROUND_MS = 30_000;
/** The names of processes without a section are asked of the store this often, and no more than so many are watched. */
const NAMES_MS = 600_000;
const NAMES_LIMIT = 5000;
/** A systemd that hangs must not hold up the rounds. */
const UNITS_MS = 10_000;
const LEAST_PAUSE_MS = 1000;

/**
 * Remembers how the monitored programs were started, while they live: at the time of an alarm they are mostly dead. One look at
 * the process table a round; only what runs is looked at more closely. Then it is found which of them would not be started again.
 */
export class LaunchObserver {
  readonly #core: Core;
  readonly #table = new ProcessTable();
  #names: readonly string[] = [];
  #namesAtMs = Number.NEGATIVE_INFINITY;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Looks round after round until `stopping` aborts; at once after a reload, which may have brought new names. */
  async run(stopping: AbortSignal): Promise<void> {
    const { clock, events, log } = this.#core;
    let reloaded = new AbortController();
    const unsubscribe = events.subscribe(({ type }) => {
      if (type === 'config_reloaded') reloaded.abort();
    });
    while (!stopping.aborted) {
      if (reloaded.signal.aborted) {
        this.#namesAtMs = Number.NEGATIVE_INFINITY;
        this.#core.concerns.forget();
      }
      reloaded = new AbortController();
      const againMs = await this.lookAtUnits(stopping);
      await this.look().catch((error: unknown) => log.debug(`Cannot look at the running programs: ${errorMessage(error)}`));
      const pauseMs = Math.max(ROUND_MS, Math.min(this.#core.settings().monitor.checkIntervalMs, NAMES_MS));
      await clock.sleep(Math.min(pauseMs, againMs), AbortSignal.any([stopping, reloaded.signal]));
    }
    unsubscribe();
  }

  /**
   * One look at the configured units; those that are not come to in time are looked at in the next round. In how many milliseconds that
   * is to be at the latest; Infinity if it can wait. Never rejects.
   */
  async lookAtUnits(stopping: AbortSignal): Promise<number> {
    const plans = this.#core.plans();
    let againMs = Number.POSITIVE_INFINITY;
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(UNITS_MS)]);
    for (const name of this.#core.settings().processNames) {
      if (signal.aborted) break;
      const plan = plans(name);
      const inMs = await plan.strategy.observeUnit?.(managedProcess(name, plan), signal);
      if (inMs !== undefined) againMs = Math.min(againMs, Math.max(inMs, LEAST_PAUSE_MS));
    }
    return againMs;
  }

  /** One round. */
  async look(): Promise<void> {
    const plans = this.#core.plans();
    const names = [...new Set([...this.#core.settings().processNames, ...(await this.#unconfiguredNames())])];
    const watched = names.filter((name) => plans(name).strategy.observe !== undefined);
    if (watched.length === 0) return this.#core.concerns.look([]);
    const look = await ProcessLook.take(this.#table);
    for (const name of watched) {
      const plan = plans(name);
      const process = managedProcess(name, plan);
      // What has a section may be known by something else than its name, too.
      if (plan.configured || look.calledBy(process.systemName).length > 0)
        await plan.strategy.observe?.(process, async () => look);
    }
    await this.#core.concerns.look(watched, async () => look);
  }

  async #unconfiguredNames(): Promise<readonly string[]> {
    const { clock, settings, plans, store } = this.#core;
    // A name that cannot have a section stands for all that have none.
    if (settings().monitor.onlyConfigured || plans()('').strategy.observe === undefined) return [];
    if (clock.monotonicMs() - this.#namesAtMs < NAMES_MS) return this.#names;
    // A database that is away is no reason to look at nothing.
    const names = await store()
      .listNames(NAMES_LIMIT)
      .catch(() => undefined);
    if (names === undefined) return this.#names;
    this.#namesAtMs = clock.monotonicMs();
    this.#names = names;
    return this.#names;
  }
}
