// Remembers the running processes.

import type { Clock } from '../core/clock.ts';
import { LoopPause } from '../core/loop-pause.ts';
import type { ProcessEvent } from '../core/process/event.ts';
import { hasEnded, MS_PER_TICK } from '../system/proc/parse.ts';
import type { ProcessInfo, ProcessTable } from '../system/proc/table.ts';

/** What is remembered of a running process. */
export interface RememberedProcess {
  /** At most 15 bytes; undefined if it is not known. */
  readonly name: string | undefined;
  /** The effective user. */
  readonly uid: number | undefined;
  readonly parentPid: number | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number | undefined;
  /** It has left /proc, so its exit event is coming: another look would find nothing, and would cost as much as all the rest. */
  readonly gone?: boolean;
}

type RememberableEvent = Exclude<ProcessEvent, { type: 'lost' }>;

/**
 * The processes of this machine as the events report them: a fork inherits, an exec renames. /proc is read for what no event
 * has reported. At most 65,536 are remembered; the oldest is forgotten first, and read again.
 */
export class ProcessMemory {
  readonly #table: ProcessTable;
  readonly #clock: Clock;
  readonly #processes = new Map<number, RememberedProcess>();
  #lastRelearnMs = Number.NEGATIVE_INFINITY;

  constructor(table: ProcessTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Forgets everything, because events were missed, and reads /proc again. That takes some 30 ms for 1,000 processes, so it is
   * done at most every 5 s, and in slices. In between a process is read when it is needed. Resolves when all have been read.
   */
  async relearn(): Promise<void> {
    this.#processes.clear();
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastRelearnMs < RELEARN_MS) return;
    this.#lastRelearnMs = nowMs;
    const epochMs = this.#bootMs();
    const visit = ({ pid, ...fields }: ProcessInfo<(typeof SURVEYED)[number]>): void => {
      // Events may have reported it since, and know more. And the exit of a process that was not reaped yet may have been
      // reported.
      if (!this.#processes.has(pid) && !hasEnded(fields)) this.#remember(pid, fromTable(fields, epochMs));
    };
    await this.#table.survey(SURVEYED, { visit });
  }

  /**
   * Records what an event reports. `mayLook`: a client wants events of this process, so a new name is worth a read of /proc.
   */
  learn(event: RememberableEvent, mayLook: boolean): void {
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

  /** Returns a process, read from /proc if something about it is not known; undefined if that fails too. */
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

  /** Reads the processes that events reported while no client wanted them: after their end it would be too late. */
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

  /** Returns the arguments separated by spaces, cut at 4 KiB; empty if they are no longer available. */
  commandLine(pid: number): string {
    const bytes = this.#processes.get(pid)?.gone ? undefined : this.#table.bytes(pid, 'cmdline', MAX_COMMAND_LINE);
    if (bytes === undefined) return '';
    const text = bytes.toString('utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
    // The cut may have split a character.
    return bytes.length < MAX_COMMAND_LINE ? text : text.replace(/\ufffd$/, '');
  }

  #remember(pid: number, process: RememberedProcess): void {
    // Added again as the newest, because the pid may have been another process's.
    this.#processes.delete(pid);
    this.#processes.set(pid, process);
    if (this.#processes.size <= MAX_PROCESSES) return;
    const [oldest] = this.#processes.keys();
    if (oldest !== undefined) this.#processes.delete(oldest);
  }

  /** Returns when the machine was booted, in milliseconds since the epoch by the current wall clock. */
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
