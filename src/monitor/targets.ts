import { type Clock, soon } from '../core/clock.ts';
import { startDeadline } from '../strategies/deadline.ts';
import { meaningOfName, resolveName } from '../strategies/recovery-plan.ts';
import type { CurrentConfig } from './current-config.ts';

/** What the targets need. */
export interface TargetsParts {
  readonly config: CurrentConfig;
  readonly clock: Clock;
  readonly abort: AbortSignal;
}

/** What a name was resolved to when it was looked at last. */
export interface KnownTarget {
  /** Resolution.key; undefined: nothing, or that is not known. */
  readonly key: string | undefined;
  /** Why it must not be restarted, in one line. */
  readonly refusal: string | undefined;
}

/**
 * Which names with a section mean the same unit or program: then the first section in the file rules. All of them are resolved before
 * the first recovery after the start or a reload, and each anew as it is recovered; while all is well only if somebody wants to see it.
 */
export class Targets {
  readonly #parts: TargetsParts;
  readonly #known = new Map<string, KnownTarget>();
  #learning: Promise<void> | undefined;
  #looking: { readonly sinceMs: number; readonly look: Promise<void> } | undefined;

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  /** The configuration is another one. */
  forget(): void {
    this.#known.clear();
    this.#learning = undefined;
    this.#looking = undefined;
  }

  /** As of the last look; undefined: there was none. */
  known(processName: string): KnownTarget | undefined {
    return this.#known.get(processName);
  }

  /** Looks at every name with a section and at `others`, at most each 5 s; waits `limitMs` for that. Never rejects. */
  async look(others: readonly string[], limitMs: number): Promise<void> {
    const { clock, config, abort } = this.#parts;
    const now = clock.monotonicMs();
    const isNew = others.some((name) => !this.#known.has(name));
    if (this.#looking === undefined || now - this.#looking.sinceMs >= (isNew ? SOON_MS : LOOK_AGAIN_MS)) {
      const deadline = startDeadline(clock, LOOK_AGAIN_MS, abort);
      const look = this.#learn(new Set([...others, ...config.current().processNames]), deadline.signal);
      this.#looking = { sinceMs: now, look: look.finally(() => deadline.end()) };
    }
    await soon(clock, limitMs, this.#looking.look);
  }

  /** The name of the section that rules what `processName` is resolved to, if that is another one. Never rejects. */
  async rulingOver(processName: string, key: string): Promise<string | undefined> {
    const { clock, config, abort } = this.#parts;
    const { processNames } = config.current();
    this.#known.set(processName, { key, refusal: undefined });
    if (!processNames.some((name) => name !== processName)) return undefined;
    this.#learning ??= this.#learn(processNames, abort);
    // A systemd that does not answer is no reason to wait with a recovery.
    await soon(clock, LEARN_MS, this.#learning);
    const ruling = this.ruling().get(key);
    return ruling === processName ? undefined : ruling;
  }

  /** Of each target the name of the section that rules it, as of the last looks: the first in the file that is not refused. */
  ruling(): ReadonlyMap<string, string> {
    const ruling = new Map<string, string>();
    for (const name of this.#parts.config.current().processNames) {
      const { key, refusal } = this.#known.get(name) ?? {};
      if (key !== undefined && refusal === undefined && !ruling.has(key)) ruling.set(key, name);
    }
    return ruling;
  }

  /** Resolves every one of these names, some at a time; what cannot be told now stays as it was known. */
  async #learn(names: Iterable<string>, signal: AbortSignal): Promise<void> {
    const { config } = this.#parts;
    const queue = [...names].values();
    const worker = async (): Promise<void> => {
      for (const name of queue) {
        if (signal.aborted) return;
        const resolution = await resolveName(config.current().plans, name, signal);
        if (signal.aborted) return;
        if (resolution.kind === 'target') this.#known.set(name, { key: resolution.key, refusal: undefined });
        else if (!resolution.unanswered) this.#known.set(name, await this.#refused(name, resolution.reason, signal));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** What must not be restarted may be held under another name all the same. */
  async #refused(name: string, refusal: string, signal: AbortSignal): Promise<KnownTarget> {
    const meant = await meaningOfName(this.#parts.config.current().plans, name, signal);
    return { key: meant.kind === 'target' ? meant.key : undefined, refusal };
  }
}

const AT_ONCE = 8;
/** A thousand names take less, if systemd is quick. */
const LEARN_MS = 3000;
/** Between two looks for whoever wants to see it, and how long one may take. */
const LOOK_AGAIN_MS = 5000;
/** The same if there is a name that nobody has looked at yet. */
const SOON_MS = 500;
