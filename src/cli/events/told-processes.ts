import type { EventLine } from '../../core/process/event-line.ts';
import { programName } from '../../stream/filter.ts';

/**
 * What a stream has told of processes that still run. Seed 002's servers say neither name nor lifetime of one that ends: where a
 * line has no name, what is known is added to it.
 */
export class ToldProcesses {
  readonly #known = new Map<number, Known>();

  complete(line: EventLine): EventLine {
    if (line.event === 'lost' || line.comm !== undefined) return line;
    if (line.event === 'fork') {
      const name = this.#known.get(line.parent_pid)?.name;
      this.#remember(line.child_pid, { name, beganMs: Date.parse(line.time) });
      return named(line, name);
    }
    const known = this.#known.get(line.pid);
    if (line.event === 'exec') {
      const name = programName(line);
      this.#remember(line.pid, { name, beganMs: known?.beganMs });
      return named(line, name);
    }
    if (line.event !== 'exit') return named(line, known?.name);
    this.#known.delete(line.pid);
    const lifetime = known?.beganMs === undefined ? undefined : Math.max(0, Date.parse(line.time) - known.beganMs);
    const ended = named(line, known?.name);
    return lifetime === undefined ? ended : { lifetime_ms: lifetime, ...ended };
  }

  #remember(pid: number, known: Known): void {
    // At the end of the map, as the youngest.
    this.#known.delete(pid);
    this.#known.set(pid, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}

interface Known {
  readonly name: string | undefined;
  /** undefined: before we saw it. */
  readonly beganMs: number | undefined;
}

const MOST_KNOWN = 100_000;

function named<T extends EventLine>(line: T, name: string | undefined): T {
  return name === undefined ? line : { ...line, comm: name };
}
