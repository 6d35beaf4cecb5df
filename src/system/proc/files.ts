import { closeSync, opendirSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type FileIdentity, fileIdentity } from '../native/file-identity.ts';
import { withSpareDescriptor } from '../native/spare-descriptor.ts';
import { pidsOfGroup } from './group-members.ts';
import { type BeginPieces, giveBack, takePiece } from './pieces.ts';

/**
 * The files below one proc mount. Any of them may vanish or be denied at any moment, which is not a fault: what cannot be read
 * is undefined, nothing throws. Every read has a limit: what a process says about itself may be as long as the machine's
 * memory. One buffer serves all reads, and a file that is written in one call takes one read. An object of this class costs
 * nothing until it reads. Source: proc(5).
 */
export class ProcFiles {
  readonly #root: string;
  #buffer: Buffer = NONE;

  constructor(root: string) {
    this.#root = root;
  }

  /** A file that the kernel writes in one call, such as PID/stat: its first `limit` bytes; what is not UTF-8 becomes U+FFFD. */
  text(file: string, limit = FILE_LIMIT): string | undefined {
    return this.#use(file, false, limit, (bytes) => bytes.toString());
  }

  /**
   * A file that the kernel writes record by record, such as net/tcp: a read may return less than is still to come. `whole`:
   * false if the file is longer than `limit` bytes; then that much is returned.
   */
  longText(file: string, limit: number): { readonly text: string; readonly whole: boolean } | undefined {
    return this.#use(file, true, limit + 1, (bytes) => ({
      text: bytes.toString('utf8', 0, limit),
      whole: bytes.length <= limit,
    }));
  }

  /** The result of `use` for a file's first `limit` bytes, which it may use only until it returns. */
  withBytes<T>(file: string, limit: number, use: (bytes: Buffer) => T): T | undefined {
    return this.#use(file, true, limit, use);
  }

  /** The answer of a reader that takes a file piece by piece. */
  pieces<T>(file: string, begin: BeginPieces<T>): T | undefined {
    const piece = takePiece();
    try {
      return tryRead(() => withSpareDescriptor(() => takeIn(`${this.#root}/${file}`, begin, piece)));
    } finally {
      giveBack(piece);
    }
  }

  /** Where a symbolic link leads. */
  link(file: string): string | undefined {
    return tryRead(() => readlinkSync(`${this.#root}/${file}`));
  }

  /** The names in the root folder, however many there are: each process has one. */
  names(): string[] | undefined {
    return tryRead(() => withSpareDescriptor(() => readdirSync(this.#root)));
  }

  /** The first `most` names in a folder that a process can fill, in the kernel's order: descriptors by ascending number. */
  firstNames(folder: string, most: number): string[] | undefined {
    return tryRead(() => withSpareDescriptor(() => listFirst(`${this.#root}/${folder}`, most)));
  }

  /**
   * The effective user of a process, which it cannot hide (proc(5), the owner of /proc/PID); undefined if there is no such
   * process.
   */
  owner(pid: number): number | undefined {
    return tryRead(() => statSync(`${this.#root}/${pid}`, { throwIfNoEntry: false })?.uid);
  }

  /** As pidsOfGroup. The only thing here that is not below the proc mount. */
  groupMembers(controlGroup: string): number[] {
    return pidsOfGroup(controlGroup);
  }

  /** The size of a file or folder according to stat(2). */
  size(file: string): number | undefined {
    return tryRead(() => statSync(`${this.#root}/${file}`, { throwIfNoEntry: false })?.size);
  }

  /** The identity of the file that it leads to; undefined if that is unknown. */
  identity(file: string): FileIdentity | undefined {
    return fileIdentity(resolve(this.#root, file));
  }

  /** Whether it leads to a regular file. */
  isFile(file: string): boolean {
    return this.identity(file)?.isFile ?? false;
  }

  /**
   * Whether both lead to the very same file, by any name; `other` may be outside of proc. False if one of them cannot be read.
   */
  isSame(file: string, other: string): boolean {
    const one = this.identity(file);
    return one !== undefined && one.key === this.identity(other)?.key;
  }

  #use<T>(file: string, toEnd: boolean, limit: number, use: (bytes: Buffer) => T): T | undefined {
    // One long file is not a reason to keep that much memory forever.
    if (this.#buffer === NONE || this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
    const length = tryRead(() => withSpareDescriptor(() => this.#fill(`${this.#root}/${file}`, toEnd, limit)));
    return length === undefined ? undefined : use(this.#buffer.subarray(0, length));
  }

  /** Reads the file into the common buffer; returns how many bytes. */
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
 * How many bytes of a process's command line and environment are read, if a look needs their strings; the rest is left out. Any
 * user can make them as long as the machine's memory (prctl(2), PR_SET_MM_MAP). At most an eighth as many strings are kept as
 * bytes: the kernel lets a program be executed with no more, because each also takes a pointer of 8 bytes.
 */
export interface ReadLimits {
  readonly commandLine: number;
  readonly environment: number;
}

/** Enough to know what a process is called: the first arguments. */
export const LOOK_LIMITS: ReadLimits = { commandLine: 16 * 1024, environment: 64 * 1024 };

/** For finding a whole word in a command line: Linux allows no longer one (MAX_ARG_STRLEN). */
export const ARGUMENT_LIMITS: ReadLimits = { ...LOOK_LIMITS, commandLine: 128 * 1024 };

/** The limit for a file that the kernel writes; the longest is the status of a process in 65,536 groups. */
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

/** Returns the result of `read`; undefined if it throws: what cannot be read is absent. */
export function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
