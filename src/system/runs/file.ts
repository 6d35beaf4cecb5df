// The file that one command writes its output to.

import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type ProcessIdentity, ProcessTable } from '../proc/table.ts';
import { OUTPUT_LIMIT, OutputTail } from '../spawn/output-tail.ts';

/** `run`: a command, for which a later run of the daemon may have to wait. `app`: a program that has to keep running by itself. */
export type RunFileKind = 'run' | 'app';

/** What a file's name says: `KIND-RUNID` until its process exists, then `KIND-RUNID.PID.STARTTIME`. */
interface RunFileName {
  readonly kind: RunFileKind;
  readonly runId: string;
  readonly process: ProcessIdentity | undefined;
}

/** Opens a new file in `dir`. `onClose` is called when it is closed. Throws if it cannot be created, or if the disk is full. */
export function openRunFile(dir: string, kind: RunFileKind, runId: string, onClose: () => void): RunFile {
  const name = `${kind}-${runId}`;
  const own = openRoomy(join(dir, name));
  try {
    return new RunFile(own, dir, name, onClose);
  } catch (error) {
    closeSync(own);
    throw error;
  }
}

/**
 * The open file that one command writes its output to. By its name a later run of the daemon finds the command's process. The
 * file is opened for appending, so that a program that writes to it for years continues at its end after the file was cut.
 */
export class RunFile {
  /** For the command's stdout and stderr: write-only, to whomever it is passed on. */
  readonly fd: number;
  readonly #own: number;
  readonly #dir: string;
  readonly #firstName: string;
  readonly #onClose: () => void;
  readonly #cut = new OutputTail();
  #watch: NodeJS.Timeout | undefined;
  #name: string;

  /** `own`: open for reading and writing. Throws if no descriptor is left. */
  constructor(own: number, dir: string, name: string, onClose: () => void) {
    this.#own = own;
    this.fd = openSync(`/proc/self/fd/${own}`, constants.O_WRONLY | constants.O_APPEND);
    this.#dir = dir;
    this.#firstName = name;
    this.#name = name;
    this.#onClose = onClose;
  }

  /** Its current name in the folder. */
  get name(): string {
    return this.#name;
  }

  /** Makes `uid` the owner: that user's programs can then open it by name, as /dev/stderr. */
  give(uid: number): void {
    attempt(() => fchownSync(this.#own, uid, -1));
  }

  /** Records which process it belongs to, when that exists, and watches how much it writes. */
  record(pid: number): void {
    this.#watch = setInterval(() => this.#shorten(), WATCH_MS).unref();
    const startTime = new ProcessTable().read(pid, ['startTime'])?.startTime;
    const name = `${this.#firstName}.${pid}.${startTime}`;
    // Without a start time the process has already ended: nobody will have to find it.
    if (startTime === undefined || !attempt(() => renameSync(join(this.#dir, this.#name), join(this.#dir, name)))) return;
    this.#name = name;
  }

  /** Returns the end of what was written so far, at most 64 KiB. */
  text(): string {
    const tail = new OutputTail();
    tail.push(Buffer.from(this.#cut.text()));
    attempt(() => tail.push(readEnd(this.#own)));
    return tail.text();
  }

  /** Closes our descriptors. Other processes that have it open may keep writing. */
  close(): void {
    clearInterval(this.#watch);
    for (const fd of [this.fd, this.#own]) attempt(() => closeSync(fd));
    this.#onClose();
  }

  /** A command that writes endlessly must not fill the disk while it runs. */
  #shorten(): void {
    attempt(() => {
      if (!isLong(fstatSync(this.#own))) return;
      this.#cut.push(readEnd(this.#own));
      ftruncateSync(this.#own);
    });
  }
}

/**
 * True if the file must be cut: for what was written to it, or for what is reserved for it without being written
 * (fallocate(2)).
 */
export function isLong({ size, blocks }: Pick<Stats, 'size' | 'blocks'>): boolean {
  return size > RUN_FILE_LIMIT || blocks * BLOCK > RUN_FILE_LIMIT + BLOCK_SLACK;
}

/** The block size of stat(2). */
const BLOCK = 512;
/** A file takes whole blocks of its file system. */
const BLOCK_SLACK = 64 * 1024;

/** A file longer than this is cut: 1 MiB. */
const RUN_FILE_LIMIT = 1024 * 1024;

/** Parses a file's name; undefined if it is not one of ours. */
export function parseRunFileName(name: string): RunFileName | undefined {
  const [, kind, runId, pid, startTime] = /^(run|app)-([a-z0-9-]{1,64})(?:\.(\d+)\.(\d+))?$/.exec(name) ?? [];
  if ((kind !== 'run' && kind !== 'app') || runId === undefined) return undefined;
  const process = pid === undefined ? undefined : { pid: Number(pid), startTime: Number(startTime) };
  return { kind, runId, process };
}

/** Runs an action that may fail without harm. Returns false if it failed. */
export function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

const WATCH_MS = 250;

function openRoomy(path: string): number {
  // An earlier run with the same name keeps its file; the file only loses the name.
  rmSync(path, { force: true });
  const fd = openSync(path, 'ax+', 0o600);
  try {
    // On a full disk every `echo` of the command would fail, and a successful restart would look like a failed one.
    writeSync(fd, Buffer.alloc(PROBE_BYTES));
    ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    rmSync(path, { force: true });
    throw error;
  }
}

const PROBE_BYTES = 4096;

function readEnd(fd: number): Buffer {
  const { size } = fstatSync(fd);
  const buffer = Buffer.alloc(Math.min(size, OUTPUT_LIMIT));
  return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, size - buffer.length));
}
