import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';

/**
 * The files below one proc mount. Any of them may vanish or be denied at any moment, which is no fault: what cannot be read is
 * undefined, nothing throws. One buffer serves for all, and a file written in one go takes one read. An object of this class
 * costs nothing until it reads. Source: proc(5).
 */
export class ProcFiles {
  readonly #root: string;
  #buffer: Buffer | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** A file that the kernel writes in one go, such as PID/stat; what is no UTF-8 becomes U+FFFD. */
  text(file: string): string | undefined {
    return this.#read(file, false)?.toString('utf8');
  }

  /** A file that the kernel writes record by record, such as net/tcp: a read may give less than is still to come. */
  longText(file: string): string | undefined {
    return this.#read(file, true)?.toString('utf8');
  }

  /** The bytes of a file, the caller's own; no more than `limit` of them. */
  bytes(file: string, limit = Number.POSITIVE_INFINITY): Buffer | undefined {
    const read = this.#read(file, true, limit);
    return read === undefined ? undefined : Buffer.from(read);
  }

  /** Where a symbolic link leads. */
  link(file: string): string | undefined {
    try {
      return readlinkSync(`${this.#root}/${file}`);
    } catch {
      return undefined;
    }
  }

  /** The names in a folder. */
  names(folder = ''): string[] | undefined {
    try {
      return readdirSync(`${this.#root}/${folder}`);
    } catch {
      return undefined;
    }
  }

  /** The size that stat(2) tells of a file or folder. */
  size(file: string): number | undefined {
    try {
      return statSync(`${this.#root}/${file}`, { throwIfNoEntry: false })?.size;
    } catch {
      return undefined;
    }
  }

  /** What is read stands in the common buffer until the next call. */
  #read(file: string, toEnd: boolean, limit = Number.POSITIVE_INFINITY): Buffer | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(`${this.#root}/${file}`, 'r');
      let buffer = this.#buffer ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
      for (let length = 0; ; ) {
        const got = readSync(fd, buffer, length, buffer.length - length, null);
        length += got;
        if (length >= limit) return buffer.subarray(0, limit);
        const full = length === buffer.length;
        if (full) buffer = enlarged(buffer);
        // A huge command line is no reason to keep as much memory for ever.
        if (buffer.length <= KEPT_BYTES) this.#buffer = buffer;
        if (got === 0 || (!toEnd && !full)) return buffer.subarray(0, length);
      }
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}

const FIRST_BYTES = 8192;
const KEPT_BYTES = 1_048_576;

function enlarged(buffer: Buffer): Buffer {
  const larger = Buffer.allocUnsafeSlow(buffer.length * 2);
  buffer.copy(larger);
  return larger;
}
