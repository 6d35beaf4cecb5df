import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { O_PATH } from './host-path.ts';

/**
 * A folder that is held by a descriptor: an operation at `path(NAME)` happens in that very folder, even if something else has
 * been put in its place since. It must be closed. Source: proc_pid_fd(5), openat(2).
 */
export class HeldFolder {
  readonly stat: Stats;
  readonly #fd: number;

  /** Throws the error of open(2); a symbolic link does not count as a folder. */
  constructor(path: string) {
    this.#fd = openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    this.stat = fstatSync(this.#fd);
  }

  /** The path of the folder itself. */
  get self(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** The path of an entry of the folder. */
  path(name: string): string {
    return `${this.self}/${name}`;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
