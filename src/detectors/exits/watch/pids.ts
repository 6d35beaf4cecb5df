/**
 * Maps a pid to its watched process, and to how it ended according to the kernel's process events. It is asked at each event of
 * the machine, so its cost must not depend on how many there are.
 */
export class WatchedPids {
  readonly #watched = new Map<number, { readonly names: Set<string>; status: number | undefined }>();

  /** Adds a living process of that name. */
  add(pid: number, name: string): void {
    const names = this.#watched.get(pid)?.names ?? new Set<string>();
    // An earlier status belongs to an earlier process of this pid.
    this.#watched.set(pid, { names: names.add(name), status: undefined });
  }

  remove(pid: number, name: string): void {
    const names = this.#watched.get(pid)?.names;
    if (names?.delete(name) === true && names.size === 0) this.#watched.delete(pid);
  }

  /** The first name that added it; undefined if no name did. */
  nameOf(pid: number): string | undefined {
    return this.#watched.get(pid)?.names.values().next().value;
  }

  /** Notes how it ended: the status as wait(2) gives it. */
  ended(pid: number, status: number): void {
    const known = this.#watched.get(pid);
    if (known !== undefined) known.status = status;
  }

  /** How it ended; undefined if no event reported it. */
  statusOf(pid: number): number | undefined {
    return this.#watched.get(pid)?.status;
  }
}
