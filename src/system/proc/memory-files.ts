import { entrySearch } from './entry-search.ts';
import { ARGUMENT_LIMITS, type ProcFiles } from './files.ts';
import { type BeginPieces, sameBytes, wholeFile } from './pieces.ts';
import { type AsideFiles, UNREAD } from './pool-files.ts';
import { foreignOwner, goRound, MOST_MS } from './visit-processes.ts';

/** A file of what a process holds in its own memory, whose lock its user can keep (AsideFiles). */
type MemoryFile = 'cmdline' | 'environ' | 'auxv';

/** Who has a string and who has not; of the `unread` that could not be told in time. */
export interface Having<P> {
  readonly having: readonly P[];
  readonly unread: readonly P[];
}

/**
 * What processes hold in their own memory, read piece by piece: of root and ourselves at once, of other users' processes without ever
 * waiting on the loop. Never rejects.
 */
export class MemoryFiles {
  readonly #files: ProcFiles;
  readonly #aside: AsideFiles;

  constructor(files: ProcFiles, aside: AsideFiles) {
    this.#files = files;
    this.#aside = aside;
  }

  /**
   * The whole file; `longer` if it has more than `limit` bytes, of which nothing is kept; UNREAD if it could not be read in time;
   * undefined if it cannot be.
   */
  whole(pid: number, file: MemoryFile, limit: number): Promise<Buffer | 'longer' | typeof UNREAD | undefined> {
    return this.#read(pid, file, wholeFile(limit));
  }

  /** Whether the file holds these bytes and nothing else; false too if it cannot be read. */
  async isStill(pid: number, file: MemoryFile, bytes: Buffer): Promise<boolean> {
    return (await this.#read(pid, file, sameBytes(bytes))) === true;
  }

  /** Which of the processes have this entry (entrySearch) in their environment. */
  withVariable<P extends { readonly pid: number }>(processes: readonly P[], entry: string): Promise<Having<P>> {
    return this.#among(processes, 'environ', entrySearch(entry, ENVIRONMENT_LIMIT));
  }

  /** Which of the processes have this word among the first 128 KiB of their arguments: Linux lets none be longer. */
  withArgument<P extends { readonly pid: number }>(processes: readonly P[], word: string): Promise<Having<P>> {
    return this.#among(processes, 'cmdline', entrySearch(`${word}\0`, ARGUMENT_LIMITS.commandLine));
  }

  async #read<T>(pid: number, file: MemoryFile, begin: BeginPieces<T>): Promise<T | typeof UNREAD | undefined> {
    const uid = foreignOwner(this.#files, pid);
    if (uid === undefined) return this.#files.pieces(`${pid}/${file}`, begin);
    return this.#aside.pieces({ pid, uid, ms: MOST_MS }, file, begin);
  }

  async #among<P extends { readonly pid: number }>(
    processes: readonly P[],
    file: MemoryFile,
    begin: BeginPieces<boolean>,
  ): Promise<Having<P>> {
    const having = new Set<number>();
    const unread = new Set<number>();
    await goRound(
      this.#files,
      processes.map(({ pid }) => pid),
      {
        begin: (pid) => pid,
        look: (pid) => {
          if (this.#files.pieces(`${pid}/${file}`, begin) === true) having.add(pid);
        },
        lookAside: async (_pid, of) => {
          const has = await this.#aside.pieces(of, file, begin);
          if (has === true) having.add(of.pid);
          if (has === UNREAD) unread.add(of.pid);
          return has;
        },
      },
    );
    const among = (pids: ReadonlySet<number>): P[] => processes.filter(({ pid }) => pids.has(pid));
    return { having: among(having), unread: among(unread) };
  }
}

/** A launch record's most, and what we add. */
export const ENVIRONMENT_LIMIT = (1024 + 64) * 1024;
