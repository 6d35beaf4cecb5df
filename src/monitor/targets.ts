// Which names mean the same unit or program.
import { type Clock, soon } from '../core/clock.ts';
import { withDeadline } from '../core/deadline.ts';
import { meaningOfName, resolveName } from '../strategies/recovery-plan.ts';
import type { CurrentConfig } from './current-config.ts';

/** What the targets need. */
interface TargetsParts {
  readonly config: CurrentConfig;
  readonly clock: Clock;
  readonly abort: AbortSignal;
}

/** What a name meant when it was resolved last. */
interface KnownTarget {
  /** Resolution.key; undefined if it means nothing, or is not known. */
  readonly key: string | undefined;
  /** Why it must not be restarted, in one line. */
  readonly refusal: string | undefined;
}

/**
 * Which names with a section mean the same unit or program: the first section in the file then applies. All of them are resolved before
 * the first recovery after the start or a reload, and each again when it is recovered. While all is well, only a look resolves them.
 */
export class Targets {
  readonly #parts: TargetsParts;
  readonly #known = new Map<string, KnownTarget>();
  #learning: Promise<void> | undefined;
  #looking: { readonly sinceMs: number; readonly look: Promise<void> } | undefined;

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  /** Forgets everything: the configuration has changed. */
  forget(): void {
    this.#known.clear();
    this.#learning = undefined;
    this.#looking = undefined;
  }

  /** What the name meant at the last look; undefined if there was none. */
  known(processName: string): KnownTarget | undefined {
    return this.#known.get(processName);
  }

  /** Resolves every name with a section and `others`, at most each 5 s; waits at most `limitMs`. Never rejects. */
  async look(others: readonly string[], limitMs: number): Promise<void> {
    const { clock, config, abort } = this.#parts;
    const now = clock.monotonicMs();
    const isNew = others.some((name) => !this.#known.has(name));
    if (this.#looking === undefined || now - this.#looking.sinceMs >= (isNew ? SOON_MS : LOOK_AGAIN_MS)) {
      const names = new Set([...others, ...config.current().processNames]);
      const look = withDeadline(clock, LOOK_AGAIN_MS, abort, ({ signal }) => this.#learn(names, signal));
      this.#looking = { sinceMs: now, look };
    }
    await soon(clock, limitMs, this.#looking.look);
  }

  /** The name of the section that applies to the target of `processName`, if it is another one. Never rejects. */
  async rulingOver(processName: string, key: string): Promise<string | undefined> {
    const { clock, config, abort } = this.#parts;
    const { processNames } = config.current();
    this.#known.set(processName, { key, refusal: undefined });
    if (!processNames.some((name) => name !== processName)) return undefined;
    this.#learning ??= this.#learn(processNames, abort);
    // A recovery does not wait for a systemd that does not answer.
    await soon(clock, LEARN_MS, this.#learning);
    const ruling = this.ruling().get(key);
    return ruling === processName ? undefined : ruling;
  }

  /** The ruling section of each target at the last look: the first in the file that is not refused. */
  ruling(): ReadonlyMap<string, string> {
    const ruling = new Map<string, string>();
    for (const name of this.#parts.config.current().processNames) {
      const { key, refusal } = this.#known.get(name) ?? {};
      if (key !== undefined && refusal === undefined && !ruling.has(key)) ruling.set(key, name);
    }
    return ruling;
  }

  /** Resolves these names, some at a time. A name that cannot be resolved now keeps its known meaning. */
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

  /** A name that must not be restarted may still be on hold through another name. */
  async #refused(name: string, refusal: string, signal: AbortSignal): Promise<KnownTarget> {
    const meant = await meaningOfName(this.#parts.config.current().plans, name, signal);
    return { key: meant.kind === 'target' ? meant.key : undefined, refusal };
  }
}

const AT_ONCE = 8;
/** Enough for a thousand names, if systemd is quick. */
const LEARN_MS = 3000;
/** The pause between two looks, and the time limit of one. */
const LOOK_AGAIN_MS = 5000;
/** The pause if a name has never been resolved. */
const SOON_MS = 500;
