import { closeSync, opendirSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type FileIdentity, fileIdentity } from '../native/file-identity.ts';
import { withSpareDescriptor } from '../native/spare-descriptor.ts';
import { type BeginPieces, giveBack, takePiece } from './pieces.ts';

/**
 * The files below one proc mount. Any of them may vanish or be denied at any moment, which is no fault: what cannot be read is
 * undefined, nothing throws. No read is without a bound: what a process says of itself may be as long as the machine's memory.
 * One buffer serves for all, and a file written in one go takes one read. An object of this class costs nothing until it reads.
 * Source: proc(5).
 */
export class ProcFiles {
  readonly #root: string;
  #buffer: Buffer = NONE;

  constructor(root: string) {
    this.#root = root;
  }

  /** A file that the kernel writes in one go, such as PID/stat: its first `limit` bytes; what is no UTF-8 becomes U+FFFD. */
  text(file: string, limit = FILE_LIMIT): string | undefined {
    return this.#use(file, false, limit, (bytes) => bytes.toString());
  }

  /**
   * A file that the kernel writes record by record, such as net/tcp: a read may give less than is still to come. `whole`: false of
   * one that is longer than `limit` bytes, of which that much is given.
   */
  longText(file: string, limit: number): { readonly text: string; readonly whole: boolean } | undefined {
    return this.#use(file, true, limit + 1, (bytes) => ({
      text: bytes.toString('utf8', 0, limit),
      whole: bytes.length <= limit,
    }));
  }

  /** What `use` makes of a file's first `limit` bytes, which are its only until it returns. */
  withBytes<T>(file: string, limit: number, use: (bytes: Buffer) => T): T | undefined {
    return this.#use(file, true, limit, use);
  }

  /** What a reader makes of a file that it takes in piece by piece. */
  pieces<T>(file: string, begin: BeginPieces<T>): T | undefined {
    const piece = takePiece();
    try {
      return attempt(() => withSpareDescriptor(() => takeIn(`${this.#root}/${file}`, begin, piece)));
    } finally {
      giveBack(piece);
    }
  }

  /** Where a symbolic link leads. */
  link(file: string): string | undefined {
    return attempt(() => readlinkSync(`${this.#root}/${file}`));
  }

  /** The names in the folder itself, as many as there are: a process has one. */
  names(): string[] | undefined {
    return attempt(() => withSpareDescriptor(() => readdirSync(this.#root)));
  }

  /** The first `most` names in a folder that a process can fill, as the kernel has them: descriptors by ascending number. */
  firstNames(folder: string, most: number): string[] | undefined {
    return attempt(() => withSpareDescriptor(() => listFirst(`${this.#root}/${folder}`, most)));
  }

  /** The effective user of a process, whatever it makes of itself (proc(5), the owner of /proc/PID); undefined where there is none. */
  owner(pid: number): number | undefined {
    return attempt(() => statSync(`${this.#root}/${pid}`, { throwIfNoEntry: false })?.uid);
  }

  /** The size that stat(2) tells of a file or folder. */
  size(file: string): number | undefined {
    return attempt(() => statSync(`${this.#root}/${file}`, { throwIfNoEntry: false })?.size);
  }

  /** Which file it leads to; undefined where that cannot be told. */
  identity(file: string): FileIdentity | undefined {
    return fileIdentity(resolve(this.#root, file));
  }

  /** True where it leads to a regular file. */
  isFile(file: string): boolean {
    return this.identity(file)?.isFile ?? false;
  }

  /** True where both lead to the very same file, by whatever name; `other` may be outside of proc. False where either cannot be read. */
  isSame(file: string, other: string): boolean {
    const one = this.identity(file);
    return one !== undefined && one.key === this.identity(other)?.key;
  }

  #use<T>(file: string, toEnd: boolean, limit: number, use: (bytes: Buffer) => T): T | undefined {
    // A long file is no reason to keep as much memory for ever.
    if (this.#buffer === NONE || this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
    const length = attempt(() => withSpareDescriptor(() => this.#fill(`${this.#root}/${file}`, toEnd, limit)));
    return length === undefined ? undefined : use(this.#buffer.subarray(0, length));
  }

  /** How many bytes of the file stand in the common buffer then. */
  #fill(path: string, toEnd: boolean, limit: number): number {
    const fd = openSync(path, 'r');
    try {
      for (let length = 0; ; ) {
        const got = readSync(fd, this.#buffer, length, Math.min(this.#buffer.length, limit) - length, null);
        length += got;
        if (length === limit) return limit;
        const full = length === this.#buffer.length;
        if (full) this.#buffer = enlarged(this.#buffer);
        if (got === 0 || (!toEnd && !full)) return length;
      }
    } finally {
      closeSync(fd);
    }
  }
}

/**
 * How much is read of one process's command line and environment, in bytes, where a look asks for their strings; what is behind
 * that is left off. Any user can make them as long as the machine's memory (prctl(2), PR_SET_MM_MAP). Of strings there are no more
 * than an eighth of the bytes: so many the kernel lets a program be executed with, for each takes a pointer of 8 bytes as well.
 */
export interface ReadLimits {
  readonly commandLine: number;
  readonly environment: number;
}

/** Enough to tell what a process is called: the first arguments. */
export const LOOK_LIMITS: ReadLimits = { commandLine: 16 * 1024, environment: 64 * 1024 };

/** Where a whole word of a command line is looked for: Linux lets none be longer (MAX_ARG_STRLEN). */
export const ARGUMENT_LIMITS: ReadLimits = { ...LOOK_LIMITS, commandLine: 128 * 1024 };

/** Of a file that the kernel writes; the longest is the status of a process in 65,536 groups. */
const FILE_LIMIT = 1024 * 1024;

const NONE = Buffer.alloc(0);
const FIRST_BYTES = 8192;
const KEPT_BYTES = 128 * 1024;

function enlarged(buffer: Buffer): Buffer {
  const larger = Buffer.allocUnsafeSlow(buffer.length * 2);
  buffer.copy(larger);
  return larger;
}

function takeIn<T>(path: string, begin: BeginPieces<T>, piece: Buffer): T {
  const fd = openSync(path, 'r');
  try {
    const to = begin(piece);
    while (to.goesOn) to.take(readSync(fd, to.buffer, to.at, to.length, to.position));
    return to.answer;
  } finally {
    closeSync(fd);
  }
}

function listFirst(folder: string, most: number): string[] {
  const names: string[] = [];
  const opened = opendirSync(folder, { bufferSize: Math.min(most, NAMES_AT_ONCE) });
  try {
    for (let entry = opened.readSync(); entry !== null && names.length < most; entry = opened.readSync())
      names.push(entry.name);
    return names;
  } finally {
    opened.closeSync();
  }
}

const NAMES_AT_ONCE = 512;

/** What `read` returns; undefined if it throws: what cannot be read is absent. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
