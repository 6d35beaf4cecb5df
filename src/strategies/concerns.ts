import type { Logger } from '../core/logger.ts';
import { LoopPause } from '../core/loop-pause.ts';
import type { TakeLook } from '../system/proc/look.ts';
import { managedProcess, type Plans } from './recovery-plan.ts';

/** What one look at a process found. */
interface Seen {
  /** The higher, the later that look began. */
  readonly order: number;
  readonly concern: string | undefined;
}

/** Which programs would not be started again as things stand, and why, as the last look found; each is told in the log once. */
export class Concerns {
  readonly #plans: () => Plans;
  readonly #log: Logger;
  #seen: ReadonlyMap<string, Seen> = new Map();
  #looks = 0;
  #told = new Map<string, string>();

  constructor(plans: () => Plans, log: Logger) {
    this.#plans = plans;
    this.#log = log;
  }

  /** Of a process by its database name, in one line with the cure; undefined where there is none, or none is known. */
  of(processName: string): string | undefined {
    return this.#seen.get(processName)?.concern;
  }

  names(): readonly string[] {
    return this.#concerned().map(([name]) => name);
  }

  /** All that were looked at, whether there is a concern or not. */
  looked(): readonly string[] {
    return [...this.#seen.keys()];
  }

  /** Looks at these, and at no others any more. */
  async look(processNames: readonly string[], look?: TakeLook): Promise<void> {
    const began = ++this.#looks;
    const round = new Map<string, Seen>();
    const pause = new LoopPause();
    for (const name of processNames) {
      if (pause.isDue) await pause.take();
      round.set(name, await this.#look(name, look));
    }
    // A pin that came or went meanwhile may not have been there yet when this round looked.
    const newer = [...this.#seen].filter(([name, { order }]) => order > (round.get(name)?.order ?? began));
    this.#seen = new Map([...round, ...newer]);
    for (const [name, concern] of this.#concerned()) this.#tell(name, concern);
    for (const name of this.#told.keys()) if (this.of(name) === undefined) this.#told.delete(name);
  }

  /** Looks at one again: something about it was changed. */
  async lookAt(processName: string): Promise<void> {
    const seen = await this.#look(processName);
    if (seen.order > (this.#seen.get(processName)?.order ?? 0)) this.#seen = new Map(this.#seen).set(processName, seen);
  }

  /** All that is found from now on is told again. */
  forget(): void {
    this.#told.clear();
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

  #tell(name: string, concern: string): void {
    if (this.#told.get(name) === concern) return;
    this.#told.set(name, concern);
    this.#log.warning(`${name} would not be started again: ${concern}`, { process_name: name });
  }
}
