import { type Clock, soon } from '../core/clock.ts';
import { type Plans, resolveName } from './recovery-plan.ts';

/** What the targets need. */
export interface TargetsParts {
  /** Swapped at a reload. */
  readonly plans: () => Plans;
  /** Names with a section of their own, in the file's order. */
  readonly sections: () => readonly string[];
  readonly clock: Clock;
  readonly abort: AbortSignal;
}

/**
 * Which names with a section mean the same unit or program: then the first section in the file rules. All of them are resolved before
 * the first recovery after the start or a reload, not while all is well, and each anew as it is recovered.
 */
export class Targets {
  readonly #parts: TargetsParts;
  readonly #keys = new Map<string, string>();
  #learning: Promise<void> | undefined;

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  /** The configuration is another one. */
  forget(): void {
    this.#keys.clear();
    this.#learning = undefined;
  }

  /** The name of the section that rules what `processName` is resolved to, if that is another one. Never rejects. */
  async rulingOver(processName: string, key: string): Promise<string | undefined> {
    const { clock, sections } = this.#parts;
    this.#keys.set(processName, key);
    if (!sections().some((name) => name !== processName)) return undefined;
    this.#learning ??= this.#learn();
    // A systemd that does not answer is no reason to wait with a recovery.
    await soon(clock, LEARN_MS, this.#learning);
    const ruling = sections().find((name) => name === processName || this.#keys.get(name) === key);
    return ruling === processName ? undefined : ruling;
  }

  /** Resolves every name with a section, some at a time. */
  async #learn(): Promise<void> {
    const { plans, sections, abort } = this.#parts;
    const queue = [...sections()].values();
    const worker = async (): Promise<void> => {
      for (const name of queue) {
        if (abort.aborted) return;
        const resolution = await resolveName(plans(), name, abort);
        if (resolution.kind === 'target') this.#keys.set(name, resolution.key);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }
}

const AT_ONCE = 8;
/** A thousand names take less, if systemd is quick. */
const LEARN_MS = 3000;
