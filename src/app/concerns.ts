import { Breath } from '../core/breath.ts';
import type { Logger } from '../core/logger.ts';
import { managedProcess, type Plans } from '../monitor/recovery-plan.ts';
import type { TakeLook } from '../system/proc/look.ts';

/** Which programs would not be started again as things stand, and why, as the last look found; each is told in the log once. */
export class Concerns {
  readonly #plans: () => Plans;
  readonly #log: Logger;
  #found: ReadonlyMap<string, string> = new Map();
  #told = new Map<string, string>();

  constructor(plans: () => Plans, log: Logger) {
    this.#plans = plans;
    this.#log = log;
  }

  /** Of a process by its database name, in one line with the cure; undefined where there is none, or none is known. */
  of(processName: string): string | undefined {
    return this.#found.get(processName);
  }

  names(): readonly string[] {
    return [...this.#found.keys()];
  }

  /** Looks at these, and at no others any more. */
  async look(processNames: readonly string[], look?: TakeLook): Promise<void> {
    const found = new Map<string, string>();
    const breath = new Breath();
    for (const name of processNames) {
      if (breath.isDue) await breath.take();
      const concern = await this.#find(name, look);
      if (concern !== undefined) found.set(name, concern);
    }
    this.#found = found;
    for (const [name, concern] of found) this.#tell(name, concern);
    for (const name of this.#told.keys()) if (!found.has(name)) this.#told.delete(name);
  }

  /** Looks at one again: something about it was changed. */
  async lookAt(processName: string): Promise<void> {
    const concern = await this.#find(processName);
    const found = new Map(this.#found);
    if (concern === undefined) found.delete(processName);
    else found.set(processName, concern);
    this.#found = found;
  }

  /** All that is found from now on is told again. */
  forget(): void {
    this.#told.clear();
  }

  async #find(name: string, look?: TakeLook): Promise<string | undefined> {
    const plan = this.#plans()(name);
    return plan.strategy.concern?.(managedProcess({ processId: 0 }, name, plan), look);
  }

  #tell(name: string, concern: string): void {
    if (this.#told.get(name) === concern) return;
    this.#told.set(name, concern);
    this.#log.warning(`${name} would not be started again: ${concern}`, { process_name: name });
  }
}
