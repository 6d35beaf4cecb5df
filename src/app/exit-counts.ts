import type { EventBus } from '../core/events.ts';
import type { Breakers } from '../monitor/breakers.ts';
import { type Plans, resolveName } from '../strategies/recovery-plan.ts';

/** What the counting of exits needs. */
export interface ExitCountsParts {
  readonly events: EventBus;
  readonly breakers: Breakers;
  /** Swapped at a reload. */
  readonly plans: () => Plans;
  readonly abort: AbortSignal;
}

/** Counts each unexpected exit of a watched process for the breaker of its target. */
export class ExitCounts {
  readonly #parts: ExitCountsParts;
  /** What names meant when they were last recovered: mostly that saves asking systemd. */
  readonly #targets = new Map<string, string>();
  readonly #counting = new Map<string, Promise<void>>();

  constructor(parts: ExitCountsParts) {
    this.#parts = parts;
  }

  /** Begins to count. */
  follow(): void {
    this.#parts.events.subscribe((event) => {
      if (event.type === 'recovery_started') this.#targets.set(event.process.processName, event.target);
      if (event.type === 'config_reloaded') this.#targets.clear();
      if (event.type === 'process_exited' && !event.expected) this.#count(event.processName);
    });
  }

  /** Resolves when the exits of that name that were told so far have been counted. Never rejects. */
  async counted(processName: string): Promise<void> {
    await this.#counting.get(processName);
  }

  #count(processName: string): void {
    const known = this.#targets.get(processName);
    if (known !== undefined && !this.#counting.has(processName)) {
      this.#parts.breakers.exited(known, processName);
      return;
    }
    const before = this.#counting.get(processName) ?? Promise.resolve();
    const counting = before
      .then(() => this.#resolve(processName))
      .then((target) => {
        if (target !== undefined) this.#parts.breakers.exited(target, processName);
        if (this.#counting.get(processName) === counting) this.#counting.delete(processName);
      });
    this.#counting.set(processName, counting);
  }

  /** undefined where the name means nothing that could be recovered. */
  async #resolve(processName: string): Promise<string | undefined> {
    const resolution = await resolveName(this.#parts.plans(), processName, this.#parts.abort);
    if (resolution.kind !== 'target') return undefined;
    this.#targets.set(processName, resolution.key);
    return resolution.key;
  }
}
