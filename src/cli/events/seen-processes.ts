import type { EventLine } from '../../core/process/event-line.ts';
import { programName } from '../../stream/filter.ts';

/**
 * What is known from a stream about processes that still run. procMonitor sends neither name nor lifetime of a process that
 * ends: a line without a name is completed with what is known.
 */
export class SeenProcesses {
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
    // Inserted again at the end of the map, as the newest.
    this.#known.delete(pid);
    this.#known.set(pid, known);
    if (this.#known.size > MOST_KNOWN) this.#forgetOldest();
  }

  /** Many at once: whoever asks a map for its oldest key passes all that were deleted before it. */
  #forgetOldest(): void {
    let left = MOST_KNOWN / 10;
    for (const oldest of this.#known.keys()) {
      if (left === 0) break;
      this.#known.delete(oldest);
      left -= 1;
    }
  }
}

interface Known {
  readonly name: string | undefined;
  /** When the process began; undefined: before we saw it. */
  readonly beganMs: number | undefined;
}

const MOST_KNOWN = 100_000;

function named<T extends EventLine>(line: T, name: string | undefined): T {
  return name === undefined ? line : { ...line, comm: name };
}
