// The output files of commands.

import { closeSync, constants, ftruncateSync, openSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { LoopPause } from '../../core/loop-pause.ts';
import { makeFolder } from '../files/make-folder.ts';
import { type ProcessIdentity, ProcessTable } from '../proc/table.ts';
import { attempt, isLong, openRunFile, parseRunFileName, type RunFile, type RunFileKind } from './file.ts';

/** Where the files of runs are. */
interface RunFilesOptions {
  /** A folder of our own. Created with mode 0700 if it is missing. */
  readonly dir: string;
  readonly log: Logger;
}

/**
 * The output files of commands that may leave a daemon behind. Such a file may be written to for years after its command has
 * ended, so it stays until no process has it open any more, and is cut each time it has grown beyond 1 MiB. Finding that out
 * takes a look at every open file of the machine: it is done every ten minutes, or when 256 files wait for it, never at a
 * command's end.
 */
export class RunFiles {
  readonly #dir: string;
  readonly #log: Logger;
  readonly #open = new Set<RunFile>();
  #waiting = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #sweeping = false;
  #timer: NodeJS.Timeout | undefined;
  #faulty = false;

  constructor({ dir, log }: RunFilesOptions) {
    this.#dir = dir;
    this.#log = log;
  }

  /**
   * Creates a file for one command; the caller must close it. Undefined if the disk fails (logged once): then the command's
   * output is lost, and a later run of the daemon cannot wait for it; but the command runs.
   */
  create(kind: RunFileKind, runId: string): RunFile | undefined {
    try {
      makeFolder(this.#dir, 0o700);
      const file: RunFile = openRunFile(this.#dir, kind, runId, () => this.#closed(file));
      this.#open.add(file);
      this.#faulty = false;
      return file;
    } catch (error) {
      if (!this.#faulty) this.#log.warning(`The output of commands is lost: ${errorMessage(error)}`, { dir: this.#dir });
      this.#faulty = true;
      return undefined;
    }
  }

  /** Returns the process of a `run` from an earlier run of the daemon, if it still runs. */
  async findRun(runId: string): Promise<ProcessIdentity | undefined> {
    const table = new ProcessTable();
    for (const name of this.#names()) {
      const file = parseRunFileName(name);
      if (file?.kind !== 'run' || file.runId !== runId) continue;
      const process = file.process ?? (await findUnrecorded(table, runId));
      if (process !== undefined && table.exists(process)) return process;
    }
    return undefined;
  }

  /** Removes the files that no process has open, and cuts the others if they are too long. Never rejects. */
  async sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const inUse = new Set([...this.#open].map(({ name }) => name));
    const table = new ProcessTable();
    const names = this.#names().filter((name) => !inUse.has(name) && parseRunFileName(name) !== undefined);
    const held = names.length === 0 ? new Set() : await heldNames(table, this.#dir);
    const free = names.filter((name) => {
      const process = parseRunFileName(name)?.process;
      return !held.has(name) && (process === undefined || !table.exists(process));
    });
    for (const name of free) attempt(() => rmSync(join(this.#dir, name), { force: true }));
    this.#cutLong();
    this.#waiting = 0;
    this.#sweptAt = performance.now();
    this.#sweeping = false;
    if (free.length === names.length && this.#open.size === 0) this.#rest();
  }

  #closed(file: RunFile): void {
    this.#open.delete(file);
    this.#waiting++;
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    if (this.#waiting >= MANY_WAITING) void this.sweep();
  }

  #tick(): void {
    if (performance.now() - this.#sweptAt > SWEEP_MS) void this.sweep();
    else this.#cutLong();
  }

  #cutLong(): void {
    for (const name of this.#names()) {
      const path = join(this.#dir, name);
      attempt(() => {
        if (parseRunFileName(name) !== undefined && isLong(statSync(path))) cut(path);
      });
    }
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #names(): string[] {
    try {
      return readdirSync(this.#dir);
    } catch {
      return [];
    }
  }
}

const TICK_MS = 10_000;
const SWEEP_MS = 600_000;
const MANY_WAITING = 256;

/** The daemon died between the start of the command and recording its process: it is the first session leader of that run. */
async function findUnrecorded(table: ProcessTable, runId: string): Promise<ProcessIdentity | undefined> {
  const leaders = (await table.survey(['startTime', 'sid'])).filter(({ pid, sid }) => pid === sid);
  const [first] = (await table.withVariable(leaders, 'MONITOR_RUN_ID', runId)).sort((a, b) => a.startTime - b.startTime);
  return first;
}

/** Returns the names of the files in `dir` that some process has open. */
async function heldNames(table: ProcessTable, dir: string): Promise<Set<string>> {
  const held = new Set<string>();
  let realDir = dir;
  attempt(() => {
    realDir = realpathSync(dir);
  });
  const pause = new LoopPause();
  for (const { pid } of await table.survey([])) {
    for (const descriptor of table.descriptorNames(pid, MOST_DESCRIPTORS)) {
      // The event loop must not be blocked while thousands of descriptors are checked.
      if (pause.isDue) await pause.take();
      const path = table.descriptorPath(pid, descriptor) ?? '';
      if (dirname(path) === realDir) held.add(basename(path));
    }
  }
  return held;
}

/**
 * We pass the file as a program's standard output, which is among its lowest descriptors. A user may open a million higher ones
 * to keep us busy.
 */
const MOST_DESCRIPTORS = 1024;

/** Cuts a file without waiting for a process that has a lease on it (fcntl(2), F_SETLEASE): its program may own the file. */
function cut(path: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    ftruncateSync(fd);
  } finally {
    closeSync(fd);
  }
}
