/** Which of the watched processes a pid belongs to. Asked at each event of the machine, so it must not depend on how many there are. */
export class WatchedPids {
  readonly #names = new Map<number, Set<string>>();

  add(pid: number, name: string): void {
    const names = this.#names.get(pid);
    if (names === undefined) this.#names.set(pid, new Set([name]));
    else names.add(name);
  }

  remove(pid: number, name: string): void {
    const names = this.#names.get(pid);
    if (names?.delete(name) === true && names.size === 0) this.#names.delete(pid);
  }

  /** The first that took it; undefined where it is nobody's. */
  nameOf(pid: number): string | undefined {
    return this.#names.get(pid)?.values().next().value;
  }
}
