// Counts the exits of watched processes for their circuit breakers.
import { resolveName } from '../strategies/recovery-plan.ts';
import type { Breakers } from './breaker/breakers.ts';
import type { CurrentConfig } from './current-config.ts';
import type { Targets } from './targets.ts';

/** What the counting of exits needs. */
interface ExitCountsParts {
  readonly config: CurrentConfig;
  readonly breakers: Breakers;
  readonly targets: Targets;
  readonly abort: AbortSignal;
}

/** Counts each unexpected exit of a watched process for the breaker of its target. */
export class ExitCounts {
  readonly #parts: ExitCountsParts;
  readonly #counting = new Map<string, Promise<void>>();

  constructor(parts: ExitCountsParts) {
    this.#parts = parts;
  }

  /** Counts one exit: at once if it is known what the name means, else as soon as it is resolved. */
  count(processName: string): void {
    const { breakers, targets } = this.#parts;
    const known = targets.known(processName);
    const before = this.#counting.get(processName);
    // This mostly saves a question to systemd.
    if (before === undefined && known?.key !== undefined && known.refusal === undefined) {
      breakers.exited(known.key, processName);
      return;
    }
    const counting = (before ?? Promise.resolve())
      .then(() => this.#resolve(processName))
      .then((target) => {
        if (target !== undefined) breakers.exited(target, processName);
        if (this.#counting.get(processName) === counting) this.#counting.delete(processName);
      });
    this.#counting.set(processName, counting);
  }

  /** Resolves when the exits of that name that were reported so far have been counted. Never rejects. */
  async counted(processName: string): Promise<void> {
    await this.#counting.get(processName);
  }

  /** undefined if the name means nothing that could be recovered. */
  async #resolve(processName: string): Promise<string | undefined> {
    const { config, abort } = this.#parts;
    const resolution = await resolveName(config.current().plans, processName, abort);
    return resolution.kind === 'target' ? resolution.key : undefined;
  }
}
