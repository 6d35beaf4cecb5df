import { type Plans, resolveName } from './recovery-plan.ts';

/** What the targets need. */
export interface TargetsParts {
  /** Swapped at a reload. */
  readonly plans: () => Plans;
  /** Names with a section of their own, in the file's order. */
  readonly sections: () => readonly string[];
  readonly abort: AbortSignal;
}

/**
 * Which names with a section mean the same unit or program: then the first section in the file rules. Names are learned as they are
 * resolved, and all of them after the start and after a reload.
 */
export class Targets {
  readonly #parts: TargetsParts;
  readonly #keys = new Map<string, string>();

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  /** Resolves every name with a section, some at a time. Never rejects. */
  async learn(): Promise<void> {
    const { plans, sections, abort } = this.#parts;
    this.#keys.clear();
    const queue = [...sections()].values();
    const worker = async (): Promise<void> => {
      for (const name of queue) {
        if (abort.aborted) return;
        const resolution = await resolveName(plans(), name, abort);
        if (resolution.kind === 'target') this.note(name, resolution.key);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** The name was resolved to this target. */
  note(processName: string, key: string): void {
    this.#keys.set(processName, key);
  }

  /** The name of the section that rules what `processName` is resolved to, if that is another one. */
  rulingOver(processName: string, key: string): string | undefined {
    const ruling = this.#parts.sections().find((name) => name === processName || this.#keys.get(name) === key);
    return ruling === processName ? undefined : ruling;
  }
}

const AT_ONCE = 8;
