// Reads and searches the arguments and environment of processes.
import { entrySearch } from './entry-search.ts';
import { ARGUMENT_LIMITS, type ProcFiles } from './files.ts';
import { type BeginPieces, sameBytes, wholeFile } from './pieces.ts';
import { type PoolFiles, UNREAD } from './pool-files.ts';
import { foreignOwner, MAX_WAIT_MS, visitProcesses } from './visit-processes.ts';

/** A file with content of a process's own memory, whose lock its user can hold (PoolFiles). */
type MemoryFile = 'cmdline' | 'environ' | 'auxv';

/** The processes that have a string; the `unread` ones could not be read in time. */
export interface Having<P> {
  readonly having: readonly P[];
  readonly unread: readonly P[];
}

/**
 * What processes keep in their own memory, read piece by piece: for root and ourselves at once, for other users' processes
 * without ever waiting on the event loop. Never rejects.
 */
export class MemoryFiles {
  readonly #files: ProcFiles;
  readonly #pool: PoolFiles;

  constructor(files: ProcFiles, pool: PoolFiles) {
    this.#files = files;
    this.#pool = pool;
  }

  /**
   * The whole file; `longer` if it has more than `limit` bytes, of which nothing is kept; UNREAD if it could not be read in
   * time; undefined if it cannot be read.
   */
  whole(pid: number, file: MemoryFile, limit: number): Promise<Buffer | 'longer' | typeof UNREAD | undefined> {
    return this.#read(pid, file, wholeFile(limit));
  }

  /** Whether the file contains exactly these bytes; also false if it cannot be read. */
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
    return this.#pool.pieces({ pid, uid, ms: MAX_WAIT_MS }, file, begin);
  }

  async #among<P extends { readonly pid: number }>(
    processes: readonly P[],
    file: MemoryFile,
    begin: BeginPieces<boolean>,
  ): Promise<Having<P>> {
    const having = new Set<number>();
    const unread = new Set<number>();
    await visitProcesses(
      this.#files,
      processes.map(({ pid }) => pid),
      {
        begin: (pid) => pid,
        look: (pid) => {
          if (this.#files.pieces(`${pid}/${file}`, begin) === true) having.add(pid);
        },
        lookInPool: async (_pid, of) => {
          const has = await this.#pool.pieces(of, file, begin);
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

/** The maximum of a launch record, plus what we add. */
export const ENVIRONMENT_LIMIT = (1024 + 64) * 1024;
