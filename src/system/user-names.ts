import { readFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { findAccount } from './user-account.ts';

/** What user names are looked up with. */
export interface UserNamesOptions {
  readonly clock: Clock;
  /** Ends a lookup that is under way. */
  readonly signal: AbortSignal;
  /** passwd(5); tests have another. */
  readonly file?: string;
}

/**
 * Names of users by uid, from memory: /etc/passwd is read at most once a minute. A uid that does not stand there is asked of
 * the machine's directories once (getent(1)), in the background and one at a time; meanwhile, and where nobody knows it, its name
 * is its number, as in ps(1).
 */
export class UserNames {
  readonly #options: UserNamesOptions;
  #names = new Map<number, string>();
  #readAtMs = Number.NEGATIVE_INFINITY;
  /** Names that only a directory knows; undefined: asked and not known. */
  readonly #found = new Map<number, string | undefined>();
  readonly #asked = new Set<number>();
  #asking = false;

  constructor(options: UserNamesOptions) {
    this.#options = options;
  }

  /** Never waits, never throws. */
  name(uid: number): string {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#readAtMs > READ_MS) {
      this.#readAtMs = nowMs;
      this.#names = readNames(this.#options.file ?? '/etc/passwd');
    }
    const name = this.#names.get(uid) ?? this.#found.get(uid);
    if (name !== undefined) return name;
    if (!this.#found.has(uid)) this.#ask(uid);
    return String(uid);
  }

  #ask(uid: number): void {
    // A machine with more unknown users than that has them from somewhere where they have no names.
    if (this.#asked.size + this.#found.size >= MAX_UNKNOWN) return;
    this.#asked.add(uid);
    if (!this.#asking) void this.#askAll();
  }

  async #askAll(): Promise<void> {
    this.#asking = true;
    for (const uid of this.#asked) {
      const answer = await findAccount(String(uid), this.#options.signal);
      this.#found.set(uid, answer.kind === 'found' ? answer.account.name : undefined);
      this.#asked.delete(uid);
    }
    this.#asking = false;
  }
}

const READ_MS = 60_000;
const MAX_UNKNOWN = 1000;

function readNames(file: string): Map<number, string> {
  const names = new Map<number, string>();
  try {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const [name, , uid] = line.split(':');
      // Of two names of one number the first counts, as for getpwuid(3).
      if (name && uid !== undefined && /^\d{1,10}$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
    }
  } catch {
    // Without the file a number has to do.
  }
  return names;
}
