import type { Clock } from '../core/clock.ts';
import { LoopPause } from '../core/loop-pause.ts';
import type { ProcessEvent } from '../core/process/event.ts';
import { hasEnded, MS_PER_TICK } from '../system/proc/parse.ts';
import type { ProcessInfo, ProcessTable } from '../system/proc/table.ts';

/** What is remembered of a process that runs. */
export interface RememberedProcess {
  /** At most 15 bytes; undefined where it is not known. */
  readonly name: string | undefined;
  /** The effective user. */
  readonly uid: number | undefined;
  readonly parentPid: number | undefined;
  /** Milliseconds of the epoch. */
  readonly startedAt: number | undefined;
  /** It has left /proc, so its exit is on the way: another look would be in vain, and costs as much as all else. */
  readonly gone?: boolean;
}

type Told = Exclude<ProcessEvent, { type: 'lost' }>;

/**
 * The processes of this machine as the events tell of them: a fork inherits, an exec renames. /proc is asked for what no event has
 * told. At most 65,536 are remembered; the oldest goes first, and is asked for again.
 */
export class ProcessMemory {
  readonly #table: ProcessTable;
  readonly #clock: Clock;
  readonly #processes = new Map<number, RememberedProcess>();
  #relearntAtMs = Number.NEGATIVE_INFINITY;

  constructor(table: ProcessTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Forgets everything, as events were missed, and looks through /proc, which takes some 30 ms for 1,000 processes: so at most
   * every 5 s, and in slices. In between a process is looked at when it is asked for. Resolves when all have been looked at.
   */
  async relearn(): Promise<void> {
    this.#processes.clear();
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#relearntAtMs < RELEARN_MS) return;
    this.#relearntAtMs = nowMs;
    const epochMs = this.#bootMs();
    const visit = ({ pid, ...fields }: ProcessInfo<(typeof SURVEYED)[number]>): void => {
      // Events may have told of it since, and know more; and the end of one that was not reaped yet may have been told.
      if (!this.#processes.has(pid) && !hasEnded(fields)) this.#remember(pid, fromTable(fields, epochMs));
    };
    await this.#table.survey(SURVEYED, { visit });
  }

  /** Takes up what an event says. `mayLook`: somebody wants to hear of this process, so a new name is worth a look at /proc. */
  learn(event: Told, mayLook: boolean): void {
    const known = this.#processes.get(event.pid);
    switch (event.type) {
      case 'fork': {
        const parent = mayLook ? this.get(event.parentPid) : this.#processes.get(event.parentPid);
        const { name, uid } = parent ?? { name: undefined, uid: undefined };
        this.#remember(event.pid, { name, uid, parentPid: event.parentPid, startedAt: event.at });
        return;
      }
      case 'exec':
        if (known !== undefined) this.#processes.set(event.pid, { ...known, name: undefined, gone: false });
        if (mayLook) this.get(event.pid);
        return;
      case 'comm':
        if (known !== undefined) this.#processes.set(event.pid, { ...known, name: event.name });
        return;
      case 'uid':
        if (known !== undefined) this.#processes.set(event.pid, { ...known, uid: event.effective });
        return;
      case 'exit':
      case 'gid':
      case 'sid':
      case 'ptrace':
      case 'coredump':
        return;
      default:
        event satisfies never;
    }
  }

  /** A process, from /proc where something of it is not known; undefined where that does not help. */
  get(pid: number): RememberedProcess | undefined {
    const known = this.#processes.get(pid);
    if (known?.gone || (known?.name !== undefined && known.uid !== undefined)) return known;
    const found = this.#table.read(pid, known?.uid === undefined ? FIELDS : FIELDS_OF_STAT);
    if (found === undefined) {
      if (known !== undefined) this.#processes.set(pid, { ...known, gone: true });
      return known;
    }
    const read = fromTable(found, this.#bootMs());
    const process = { ...read, uid: read.uid ?? known?.uid, startedAt: known?.startedAt ?? read.startedAt };
    this.#remember(pid, process);
    return process;
  }

  /** Looks at those of whom events told while nobody wanted to hear it: once they have ended it would be too late. */
  async catchUp(): Promise<void> {
    const pause = new LoopPause();
    for (const [pid, { name }] of [...this.#processes]) {
      if (pause.isDue) await pause.take();
      if (name === undefined && this.#processes.has(pid)) this.get(pid);
    }
  }

  forget(pid: number): void {
    this.#processes.delete(pid);
  }

  /** The arguments with blanks between, cut at 4 KiB; empty where they cannot be had any more. */
  commandLine(pid: number): string {
    const bytes = this.#processes.get(pid)?.gone ? undefined : this.#table.bytes(pid, 'cmdline', MAX_COMMAND_LINE);
    if (bytes === undefined) return '';
    const text = bytes.toString('utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
    // The cut may have gone through a character.
    return bytes.length < MAX_COMMAND_LINE ? text : text.replace(/\ufffd$/, '');
  }

  #remember(pid: number, process: RememberedProcess): void {
    // Again as the youngest, since the pid may have been another's.
    this.#processes.delete(pid);
    this.#processes.set(pid, process);
    if (this.#processes.size <= MAX_PROCESSES) return;
    const [oldest] = this.#processes.keys();
    if (oldest !== undefined) this.#processes.delete(oldest);
  }

  /** When the machine was booted, in milliseconds of the epoch as the wall clock has it now. */
  #bootMs(): number {
    return this.#clock.date().getTime() - this.#table.uptimeMs();
  }
}

const RELEARN_MS = 5000;
const MAX_PROCESSES = 65_536;
const MAX_COMMAND_LINE = 4096;
const FIELDS_OF_STAT = ['name', 'ppid', 'startTime'] as const;
const FIELDS = [...FIELDS_OF_STAT, 'uids'] as const;
const SURVEYED = [...FIELDS, 'state', 'threads'] as const;

interface Fields {
  readonly name: string;
  readonly ppid: number;
  readonly startTime: number;
  readonly uids?: { readonly effective: number };
}

function fromTable({ name, ppid, startTime, uids }: Fields, bootMs: number): RememberedProcess {
  return { name, uid: uids?.effective, parentPid: ppid, startedAt: bootMs + startTime * MS_PER_TICK };
}
