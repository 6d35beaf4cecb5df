import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { withSpareDescriptor } from '../native/spare-descriptor.ts';

/**
 * The files below one proc mount. Any of them may vanish or be denied at any moment, which is no fault: what cannot be read is
 * undefined, nothing throws. One buffer serves for all, and a file written in one go takes one read. An object of this class
 * costs nothing until it reads. Source: proc(5).
 */
export class ProcFiles {
  readonly #root: string;
  #buffer: Buffer = NONE;

  constructor(root: string) {
    this.#root = root;
  }

  /** A file that the kernel writes in one go, such as PID/stat: its first 2 MiB; what is no UTF-8 becomes U+FFFD. */
  text(file: string): string | undefined {
    return this.#text(file, false, READ_LIMIT);
  }

  /** A file that the kernel writes record by record, such as net/tcp: a read may give less than is still to come. */
  longText(file: string): string | undefined {
    return this.#text(file, true, Number.POSITIVE_INFINITY);
  }

  /** The bytes of a file, the caller's own; no more than `limit` of them, at most 2 MiB. */
  bytes(file: string, limit = READ_LIMIT): Buffer | undefined {
    const length = this.#read(file, true, Math.min(limit, READ_LIMIT));
    return length === undefined ? undefined : Buffer.from(this.#buffer.subarray(0, length));
  }

  /** Where a symbolic link leads. */
  link(file: string): string | undefined {
    return attempt(() => readlinkSync(`${this.#root}/${file}`));
  }

  /** The names in a folder. */
  names(folder = ''): string[] | undefined {
    return attempt(() => withSpareDescriptor(() => readdirSync(`${this.#root}/${folder}`)));
  }

  /** The size that stat(2) tells of a file or folder. */
  size(file: string): number | undefined {
    return attempt(() => statSync(`${this.#root}/${file}`, { throwIfNoEntry: false })?.size);
  }

  /** True where both lead to the very same file, by whatever name; `other` may be outside of proc. False where either cannot be read. */
  isSame(file: string, other: string): boolean {
    // Inodes of some file systems (overlay) need all 64 bits.
    const [one, two] = [file, other].map((path) => attempt(() => statSync(resolve(this.#root, path), { bigint: true })));
    return one !== undefined && one.dev === two?.dev && one.ino === two.ino;
  }

  #text(file: string, toEnd: boolean, limit: number): string | undefined {
    const length = this.#read(file, toEnd, limit);
    return length === undefined ? undefined : this.#buffer.toString('utf8', 0, length);
  }

  /** How many bytes of the file stand in the common buffer, until the next call. */
  #read(file: string, toEnd: boolean, limit: number): number | undefined {
    // A huge command line is no reason to keep as much memory for ever.
    if (this.#buffer === NONE || this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
    return attempt(() => withSpareDescriptor(() => this.#fill(`${this.#root}/${file}`, toEnd, limit)));
  }

  #fill(path: string, toEnd: boolean, limit: number): number {
    const fd = openSync(path, 'r');
    try {
      for (let length = 0; ; ) {
        const got = readSync(fd, this.#buffer, length, this.#buffer.length - length, null);
        length += got;
        if (length >= limit) return limit;
        const full = length === this.#buffer.length;
        if (full) this.#buffer = enlarged(this.#buffer);
        if (got === 0 || (!toEnd && !full)) return length;
      }
    } finally {
      closeSync(fd);
    }
  }
}

/** Any user can make a command line or environment as long as the machine's memory (prctl(2), PR_SET_MM_MAP): 2 MiB are read. */
export const READ_LIMIT: number = 2 * 1024 * 1024;

const NONE = Buffer.alloc(0);
const FIRST_BYTES = 8192;
const KEPT_BYTES = 1_048_576;

function enlarged(buffer: Buffer): Buffer {
  const larger = Buffer.allocUnsafeSlow(buffer.length * 2);
  buffer.copy(larger);
  return larger;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
