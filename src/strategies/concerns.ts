// Which programs a restart could not start again, as the looks at them found.
import type { Logger } from '../core/logger.ts';
import { LoopPause } from '../core/loop-pause.ts';
import type { TakeLook } from '../system/proc/look.ts';
import { managedProcess, type Plans } from './recovery-plan.ts';

/** What one look at a process found. */
interface Seen {
  /** Grows with the time at which the look began. */
  readonly order: number;
  readonly concern: string | undefined;
}

/** Which programs would not be started again as things are, and why, as the last look found; each is logged once. */
export class Concerns {
  readonly #plans: () => Plans;
  readonly #log: Logger;
  #seen: ReadonlyMap<string, Seen> = new Map();
  #looks = 0;
  #logged = new Map<string, string>();

  constructor(plans: () => Plans, log: Logger) {
    this.#plans = plans;
    this.#log = log;
  }

  /**
   * The concern about a process by its database name, in one line with advice; undefined if there is none, or none is known.
   */
  of(processName: string): string | undefined {
    return this.#seen.get(processName)?.concern;
  }

  names(): readonly string[] {
    return this.#concerned().map(([name]) => name);
  }

  /** All processes that were looked at, whether there is a concern or not. */
  looked(): readonly string[] {
    return [...this.#seen.keys()];
  }

  /** Looks at these; forgets all others. */
  async look(processNames: readonly string[], look?: TakeLook): Promise<void> {
    const began = ++this.#looks;
    const round = new Map<string, Seen>();
    const pause = new LoopPause();
    for (const name of processNames) {
      if (pause.isDue) await pause.take();
      round.set(name, await this.#look(name, look));
    }
    // A pin that was set or removed in the meantime may not have been there when this round looked.
    const newer = [...this.#seen].filter(([name, { order }]) => order > (round.get(name)?.order ?? began));
    this.#seen = new Map([...round, ...newer]);
    for (const [name, concern] of this.#concerned()) this.#report(name, concern);
    for (const name of this.#logged.keys()) if (this.of(name) === undefined) this.#logged.delete(name);
  }

  /** Looks at one process again: something about it was changed. */
  async lookAt(processName: string): Promise<void> {
    const seen = await this.#look(processName);
    if (seen.order > (this.#seen.get(processName)?.order ?? 0)) this.#seen = new Map(this.#seen).set(processName, seen);
  }

  /** Everything that is found from now on is logged again. */
  forget(): void {
    this.#logged.clear();
  }

  async #look(name: string, look?: TakeLook): Promise<Seen> {
    const order = ++this.#looks;
    const plan = this.#plans()(name);
    const concern = await plan.strategy.concern?.(managedProcess(name, plan), look);
    return { order, concern };
  }

  #concerned(): (readonly [name: string, concern: string])[] {
    return [...this.#seen].flatMap(([name, { concern }]) => (concern === undefined ? [] : [[name, concern] as const]));
  }

  #report(name: string, concern: string): void {
    if (this.#logged.get(name) === concern) return;
    this.#logged.set(name, concern);
    this.#log.warning(`${name} would not be started again: ${concern}`, { process_name: name });
  }
}
