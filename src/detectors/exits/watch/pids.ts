/**
 * Which of the watched processes a pid belongs to, and how it ended as the kernel's process events told it. Asked at each event of the
 * machine, so it must not depend on how many there are.
 */
export class WatchedPids {
  readonly #watched = new Map<number, { readonly names: Set<string>; status: number | undefined }>();

  /** A living process of that name. */
  add(pid: number, name: string): void {
    const names = this.#watched.get(pid)?.names ?? new Set<string>();
    // What was told of it was of an earlier process of this number.
    this.#watched.set(pid, { names: names.add(name), status: undefined });
  }

  remove(pid: number, name: string): void {
    const names = this.#watched.get(pid)?.names;
    if (names?.delete(name) === true && names.size === 0) this.#watched.delete(pid);
  }

  /** The first that took it; undefined where it is nobody's. */
  nameOf(pid: number): string | undefined {
    return this.#watched.get(pid)?.names.values().next().value;
  }

  /** It has ended so, as wait(2) gives it. */
  ended(pid: number, status: number): void {
    const known = this.#watched.get(pid);
    if (known !== undefined) known.status = status;
  }

  /** How it ended; undefined where that was not told. */
  statusOf(pid: number): number | undefined {
    return this.#watched.get(pid)?.status;
  }
}
