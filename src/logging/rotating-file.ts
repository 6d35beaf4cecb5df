// The log file and its rotation by pino-roll.

import { fchmodSync, fchownSync, fstatSync, linkSync, lstatSync, renameSync, statSync } from 'node:fs';
import type { RollingStream } from 'pino-roll';
import { errorMessage } from '../core/errors.ts';
import { createEmpty, EXTENSION, endsInLine, type FileId, isSameFile, nextNumber, removeName, removeOldest } from './names.ts';
import { resolveLogFile } from './path.ts';

/** A log file and its rotation. */
export interface RotatingFileOptions {
  /** The path of the live log. */
  readonly file: string;
  readonly maxBytes: number;
  /** How many rotated files are kept in addition to it. */
  readonly filesToKeep: number;
  /** Its permissions, whatever the umask is. */
  readonly mode: number;
  readonly gid: number | undefined;
  /** Receives problems that do not stop the writing. */
  readonly warn: (problem: string) => void;
}

/**
 * Opens or creates the live log, and rotates it by pino-roll: rotated files are `FILE.N.old`, the highest number is the newest.
 * Rejects if the file cannot be written.
 *
 * pino-roll only writes to files with a number in their name. So the file that it opens gets the live log's name at once, and
 * gets a number again when the next one is opened: by link and rename, so that there is a live log at every moment. Old files
 * are removed here: pino-roll's own `limit` runs at the same time as the next rotations of a burst, then removes too many, and
 * tries for 5 s to remove files that are gone.
 */
export async function openRotatingFile(options: RotatingFileOptions): Promise<RotatingFile> {
  const live = resolveLogFile(options.file);
  const first = `${live}.${nextNumber(live)}.${EXTENSION}`;
  removeOldest(live, options.filesToKeep);
  const exists = lstatSync(live, { throwIfNoEntry: false }) !== undefined;
  if (exists) linkSync(live, first);
  // If somebody has just put a link there, it leads to another file.
  const made = exists ? lstatSync(first) : createEmpty(first);
  try {
    // Loaded only if a log file is configured.
    const { default: pinoRoll } = await import('pino-roll');
    const stream = await pinoRoll({
      file: `${live}.${EXTENSION}`,
      size: `${options.maxBytes}b`,
      sync: true,
      mode: 0o600,
      retryEAGAIN: () => false,
    });
    const file = new RotatingFile(stream, live, options);
    try {
      if (stream.file !== first) {
        // Another program has just rotated into this folder: pino-roll continued counting from its file, and created one with
        // that number.
        if (statSync(stream.file).size === 0) removeName(stream.file);
        throw new Error(`${stream.file} is in the way of its rotation`);
      }
      file.compare(made);
      if (!exists) renameSync(first, live);
      file.adopt();
    } catch (error) {
      await file.close();
      throw error;
    }
    return file;
  } finally {
    removeName(first);
  }
}

/** An open log file. Lines have been passed to the kernel when `write` returns. */
export class RotatingFile {
  #stream: RollingStream;
  #live: string;
  #options: RotatingFileOptions;
  #inode = 0;
  #writing = false;
  #error: unknown;
  #unrotated = false;
  /** True if the file that is written to did not get the live log's name. */
  #misnamed = false;
  /** True if it is also not the file that was created: somebody has put another in its place. Nothing is written to it. */
  #foreign = false;
  #closing: Promise<void> | undefined;

  constructor(stream: RollingStream, live: string, options: RotatingFileOptions) {
    this.#stream = stream;
    this.#live = live;
    this.#options = options;
    // Each rotation adds a listener until the next turn of the event loop.
    stream.setMaxListeners(0);
    const reopen = stream.reopen.bind(stream);
    // The only sign by which pino-roll shows that it rotates.
    stream.reopen = (next) => this.#rotate(next, reopen);
    stream.on('error', (error) => {
      if (this.#writing) this.#error = error;
    });
  }

  /** Writes `line` and its end. Throws if it was not, or not wholly, written: the file must then be closed. */
  write(line: string): void {
    if (this.#foreign) throw new Error(FOREIGN);
    this.#error = undefined;
    this.#writing = true;
    this.#stream.write(`${line}\n`);
    this.#writing = false;
    if (this.#error !== undefined) throw this.#error;
    // Everything is written. Reported now and not at the next turn of the event loop, or a burst would exceed the limit before
    // it is rotated.
    if (this.#stream.listenerCount('drain') > 0) this.#stream.emit('drain');
  }

  /** True if the file must be opened again: the live log's name leads elsewhere by now. */
  displaced(): boolean {
    return this.#misnamed || this.#isElsewhere();
  }

  /** Closes the file. Idempotent. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#stream.once('close', resolve).once('error', () => resolve());
      this.#stream.destroy();
    });
    return this.#closing;
  }

  /**
   * Throws if the open file is not the one that was `made`: a group that may write to the folder can put a link in its place.
   */
  compare(made: FileId): void {
    this.#foreign = !isSameFile(fstatSync(this.#stream.fd), made);
    if (this.#foreign) throw new Error(FOREIGN);
  }

  /** Gives the open file its permissions, and ends a line that was cut short. */
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
    if (!endsInLine(this.#live, size)) this.write('');
  }

  #rotate(next: string, reopen: (name: string) => void): void {
    const rotated = this.#stream.file;
    const undo: string[] = [];
    try {
      const made = createEmpty(next);
      undo.push(next);
      if (this.#options.filesToKeep > 0 && !this.#isElsewhere()) {
        linkSync(this.#live, rotated);
        undo.push(rotated);
      }
      reopen(next);
      this.#misnamed = true;
      this.compare(made);
      renameSync(next, this.#live);
      this.adopt();
      this.#misnamed = false;
      removeOldest(this.#live, this.#options.filesToKeep);
      this.#unrotated = false;
    } catch (error) {
      if (!this.#misnamed) {
        for (const name of undo) removeName(name);
        // It continues in the old file, and tries again when that has grown by the same amount again: pino-roll counts only
        // while the stream has the name that it chose. The listener would close the old file once more at the next success.
        this.#stream.file = next;
        this.#stream.removeAllListeners('ready');
      }
      if (!this.#unrotated) this.#options.warn(`it cannot be rotated (${errorMessage(error)})`);
      this.#unrotated = true;
    }
  }

  #isElsewhere(): boolean {
    return statSync(this.#live, { throwIfNoEntry: false })?.ino !== this.#inode;
  }
}

const FOREIGN = 'another file was put in its place while it was opened';
