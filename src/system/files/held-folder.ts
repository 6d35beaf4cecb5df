import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { O_PATH } from './host-path.ts';

/**
 * A folder that is held by a descriptor: what is done at `path(NAME)` is done in that very folder, whatever has been put in its place
 * since. To be closed. Source: proc_pid_fd(5), openat(2).
 */
export class HeldFolder {
  readonly stat: Stats;
  readonly #fd: number;

  /** Throws what open(2) says; a symbolic link is no folder. */
  constructor(path: string) {
    this.#fd = openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    this.stat = fstatSync(this.#fd);
  }

  /** The folder itself. */
  get self(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** An entry of it. */
  path(name: string): string {
    return `${this.self}/${name}`;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
