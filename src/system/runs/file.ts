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

/** `run`: a command, which a later life of the daemon may have to wait for; `app`: a program that is to go on by itself. */
export type RunFileKind = 'run' | 'app';

/** What the name of a file says: `KIND-RUNID` before its process is there, `KIND-RUNID.PID.STARTTIME` from then on. */
interface RunFileName {
  readonly kind: RunFileKind;
  readonly runId: string;
  readonly process: ProcessIdentity | undefined;
}

/** Opens a new file in `dir`; `onClose` is called when it is closed. Throws where it cannot be made, or the disk is full. */
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
 * The open file that one command writes its output to; by its name a later life of the daemon knows the command's process. It is
 * opened for appending, so that whoever writes to it for years goes on at its end after it was cut short.
 */
export class RunFile {
  /** For the command's stdout and stderr: to write to alone, whoever it is handed on to. */
  readonly fd: number;
  readonly #own: number;
  readonly #dir: string;
  readonly #firstName: string;
  readonly #onClose: () => void;
  readonly #cut = new OutputTail();
  #watch: NodeJS.Timeout | undefined;
  #name: string;

  /** `own`: open for reading and writing. Throws where no descriptor is left. */
  constructor(own: number, dir: string, name: string, onClose: () => void) {
    this.#own = own;
    this.fd = openSync(`/proc/self/fd/${own}`, constants.O_WRONLY | constants.O_APPEND);
    this.#dir = dir;
    this.#firstName = name;
    this.#name = name;
    this.#onClose = onClose;
  }

  /** Its name in the folder, as of now. */
  get name(): string {
    return this.#name;
  }

  /** Makes it `uid`'s: that user's programs may then open it by name, as /dev/stderr. */
  give(uid: number): void {
    attempt(() => fchownSync(this.#own, uid, -1));
  }

  /** Writes down which process it is, once that is there, and keeps an eye on how much it writes. */
  record(pid: number): void {
    this.#watch = setInterval(() => this.#shorten(), WATCH_MS).unref();
    const startTime = new ProcessTable().read(pid, ['startTime'])?.startTime;
    const name = `${this.#firstName}.${pid}.${startTime}`;
    // Without a start time the process has ended already: nobody will have to find it.
    if (startTime === undefined || !attempt(() => renameSync(join(this.#dir, this.#name), join(this.#dir, name)))) return;
    this.#name = name;
  }

  /** The end of what was written so far, at most 64 KiB. */
  text(): string {
    const tail = new OutputTail();
    tail.push(Buffer.from(this.#cut.text()));
    attempt(() => tail.push(readEnd(this.#own)));
    return tail.text();
  }

  /** Lets go of it; who else holds it may go on writing. */
  close(): void {
    clearInterval(this.#watch);
    for (const fd of [this.fd, this.#own]) attempt(() => closeSync(fd));
    this.#onClose();
  }

  /** A command that babbles must not fill the disk while it runs. */
  #shorten(): void {
    attempt(() => {
      if (!isLong(fstatSync(this.#own))) return;
      this.#cut.push(readEnd(this.#own));
      ftruncateSync(this.#own);
    });
  }
}

/** True for one that is to be cut: what is written to it, and what is set aside for it (fallocate(2)) where nothing is. */
export function isLong({ size, blocks }: Pick<Stats, 'size' | 'blocks'>): boolean {
  return size > RUN_FILE_LIMIT || blocks * BLOCK > RUN_FILE_LIMIT + BLOCK_SLACK;
}

/** Of stat(2). */
const BLOCK = 512;
/** A file takes whole blocks of its file system. */
const BLOCK_SLACK = 64 * 1024;

/** A file longer than this is cut: 1 MiB. */
const RUN_FILE_LIMIT = 1024 * 1024;

/** Undefined where `name` is none of ours. */
export function parseRunFileName(name: string): RunFileName | undefined {
  const [, kind, runId, pid, startTime] = /^(run|app)-([a-z0-9-]{1,64})(?:\.(\d+)\.(\d+))?$/.exec(name) ?? [];
  if ((kind !== 'run' && kind !== 'app') || runId === undefined) return undefined;
  const process = pid === undefined ? undefined : { pid: Number(pid), startTime: Number(startTime) };
  return { kind, runId, process };
}

/** Runs what may fail without harm; false where it did. */
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
  // What an equally named run of before left behind keeps its file; it only loses the name.
  rmSync(path, { force: true });
  const fd = openSync(path, 'ax+', 0o600);
  try {
    // On a full disk every `echo` of the command would fail, and a restart that worked would look like one that did not.
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
