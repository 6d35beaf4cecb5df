import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { RollingStream } from 'pino-roll';
import { errorMessage } from '../core/errors.ts';
import { resolveLogFile } from './log-path.ts';

/** A log file and its rotation. */
export interface RotatingFileOptions {
  /** The live log. */
  readonly file: string;
  readonly maxBytes: number;
  /** Rotated files beside it. */
  readonly filesToKeep: number;
  /** Permissions, whatever the umask says. */
  readonly mode: number;
  readonly gid: number | undefined;
  /** Hears of what does not stop the writing. */
  readonly warn: (problem: string) => void;
}

/**
 * Opens the live log, or makes it, and rotates it by pino-roll: rotated files are `FILE.N.old`, the highest number the newest.
 * Throws (rejects) where it cannot be written.
 *
 * pino-roll only writes to files with a number in their name. So the file that it opens is given the live log's name at once,
 * and gets a number again when the next one is opened: by link and rename, so that at no moment there is no live log.
 */
export async function openRotatingFile(options: RotatingFileOptions): Promise<RotatingFile> {
  const live = resolveLogFile(options.file);
  const first = `${live}.${nextNumber(live)}.${EXTENSION}`;
  const exists = statSync(live, { throwIfNoEntry: false }) !== undefined;
  if (exists) linkSync(live, first);
  else createEmpty(first);
  try {
    // Loaded only where a log file is configured.
    const { default: pinoRoll } = await import('pino-roll');
    const stream = await pinoRoll({
      file: `${live}.${EXTENSION}`,
      size: `${options.maxBytes}b`,
      limit: { count: Math.max(options.filesToKeep, 1), removeOtherLogFiles: true },
      sync: true,
      mode: 0o600,
      retryEAGAIN: () => false,
    });
    const file = new RotatingFile(stream, live, options);
    if (stream.file === first) {
      if (!exists) renameSync(first, live);
      file.adopt();
      return file;
    }
    await file.close();
    throw new Error(`${stream.file} is in the way of its rotation`);
  } finally {
    removeName(first);
  }
}

/** An open log file. Lines are with the kernel when `write` returns. */
export class RotatingFile {
  #stream: RollingStream;
  #live: string;
  #options: RotatingFileOptions;
  #inode = 0;
  #writing = false;
  #error: unknown;
  #unrotated = false;

  constructor(stream: RollingStream, live: string, options: RotatingFileOptions) {
    this.#stream = stream;
    this.#live = live;
    this.#options = options;
    const reopen = stream.reopen.bind(stream);
    // The one thing by which pino-roll shows that it rotates.
    stream.reopen = (next) => this.#rotate(next, reopen);
    stream.on('error', (error) => {
      if (this.#writing) this.#error = error;
    });
  }

  /** Writes `line` and its end; throws where it was not, or not wholly, written: then the file is to be closed. */
  write(line: string): void {
    this.#error = undefined;
    this.#writing = true;
    this.#stream.write(`${line}\n`);
    this.#writing = false;
    if (this.#error !== undefined) throw this.#error;
    // All is written; said now and not at the next turn of the loop, or a burst would outgrow the limit before it is rotated.
    if (this.#stream.listenerCount('drain') > 0) this.#stream.emit('drain');
  }

  /** True where the live log's name leads elsewhere by now: moved, deleted, replaced. */
  displaced(): boolean {
    return statSync(this.#live, { throwIfNoEntry: false })?.ino !== this.#inode;
  }

  /** Never rejects. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#stream.once('close', resolve).once('error', () => resolve());
      this.#stream.destroy();
    });
  }

  /** Gives the open file its permissions; a line that was cut short is ended. */
  adopt(): void {
    const { fd } = this.#stream;
    const { mode, gid, warn } = this.#options;
    const { ino, size } = fstatSync(fd);
    this.#inode = ino;
    try {
      if (gid !== undefined) fchownSync(fd, -1, gid);
      fchmodSync(fd, mode);
    } catch (error) {
      warn(`its group or mode cannot be set (${errorMessage(error)})`);
    }
    if (size > 0 && lastByte(this.#live, size) !== NEWLINE) this.write('');
  }

  #rotate(next: string, reopen: (name: string) => void): void {
    const rotated = this.#stream.file;
    const named = this.#options.filesToKeep > 0 && !this.displaced();
    try {
      createEmpty(next);
      if (named) linkSync(this.#live, rotated);
      reopen(next);
      renameSync(next, this.#live);
      this.adopt();
      this.#unrotated = false;
    } catch (error) {
      // Goes on in the old file, and tries again when that has grown by as much again.
      this.#stream.removeAllListeners('ready');
      removeName(next);
      if (named && !this.displaced()) removeName(rotated);
      if (!this.#unrotated) this.#options.warn(`it cannot be rotated (${errorMessage(error)})`);
      this.#unrotated = true;
    }
  }
}

/** Not `log`: pino-roll counts on from the highest number that any file of the folder bears before this extension. */
const EXTENSION = 'old';
const NEWLINE = 10;

/** A number higher than any there is; a second name that a crash left on the live log is taken off first. */
function nextNumber(live: string): number {
  const inode = statSync(live, { throwIfNoEntry: false })?.ino;
  const prefix = `${basename(live)}.`;
  let highest = 0;
  for (const name of readdirSync(dirname(live))) {
    const number = Number(/(\d+)\.old$/.exec(name)?.[1] ?? 0);
    const path = join(dirname(live), name);
    if (number > 0 && name === `${prefix}${number}.${EXTENSION}` && statSync(path, { throwIfNoEntry: false })?.ino === inode) {
      removeName(path);
    } else highest = Math.max(highest, number);
  }
  return highest + 1;
}

/** Made by us alone: a link that somebody put there is not followed. */
function createEmpty(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

function removeName(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It bears another name by now.
  }
}

function lastByte(path: string, size: number): number | undefined {
  const fd = openSync(path, 'r');
  try {
    const byte = Buffer.alloc(1);
    return readSync(fd, byte, 0, 1, size - 1) === 1 ? byte[0] : undefined;
  } finally {
    closeSync(fd);
  }
}
