// Describes process events as clients get them.

import type { ProcessEvent, ProcessEventType } from '../core/process/event.ts';
import type { EventLine } from '../core/process/event-line.ts';
import { parseWaitStatus } from '../core/process/wait-status.ts';
import type { ProcessMemory, RememberedProcess } from './process-memory.ts';

/** What a describer needs. */
interface EventDescriberOptions {
  readonly memory: ProcessMemory;
  readonly userName: (uid: number) => string;
  /** Returns the watched process of the configuration that a pid belongs to. */
  readonly monitoredName?: (pid: number) => string | undefined;
}

/** The event types that must be received whatever clients ask for: they show whose process it was when it has already ended. */
export const describingTypes: readonly ProcessEventType[] = ['exec', 'exit', 'fork', 'uid', 'comm'];

/**
 * Describes process events as clients get them. It remembers what it learns at fork and exec, so that an exit can be described
 * with name, user and lifetime when the process is gone. Every event must pass through it, in order.
 */
export class EventDescriber {
  readonly #options: EventDescriberOptions;
  #lastTime = { at: Number.NaN, text: '' };

  constructor(options: EventDescriberOptions) {
    this.#options = options;
  }

  /** Must be called when more is wanted than before. */
  catchUp(): void {
    void this.#options.memory.catchUp();
  }

  /** Returns the line of an event that is among `wanted`; undefined for any other, for which /proc is not read. */
  describe(event: ProcessEvent, wanted: ReadonlySet<ProcessEventType>): EventLine | undefined {
    const { memory } = this.#options;
    if (event.type === 'lost') {
      void memory.relearn();
      return { event: 'lost', count: event.count, time: this.#time(event.at) };
    }
    const isWanted = wanted.has(event.type);
    memory.learn(event, isWanted || wanted.has('exit'));
    const process = isWanted ? memory.get(event.pid) : undefined;
    const described = isWanted ? this.#describeProcessEvent(event, process) : undefined;
    if (event.type === 'exit') memory.forget(event.pid);
    return described;
  }

  #describeProcessEvent(event: Exclude<ProcessEvent, { type: 'lost' }>, process: RememberedProcess | undefined): EventLine {
    const { memory, userName, monitoredName } = this.#options;
    const { pid } = event;
    const user = process?.uid === undefined ? UNKNOWN : userName(process.uid);
    const ppid = ('parentPid' in event && event.parentPid) || process?.parentPid;
    const monitored = monitoredName?.(pid);
    const context = {
      time: this.#time(event.at),
      ...(process?.name === undefined ? {} : { comm: process.name }),
      ...(ppid === undefined || event.type === 'fork' ? {} : { ppid }),
      ...(monitored === undefined ? {} : { monitored }),
    };
    switch (event.type) {
      case 'fork':
        return { event: 'fork', child_pid: pid, parent_pid: event.parentPid, user, ...context };
      case 'exec':
        return { event: 'exec', pid, user, cmdline: memory.commandLine(pid), ...context };
      case 'exit':
        return { event: 'exit', pid, exit_code: event.status, user, ...howItEnded(event, process), ...context };
      case 'uid':
      case 'gid':
        return { event: event.type, pid, user, real: event.real, effective: event.effective, ...context };
      case 'ptrace':
        return { event: 'ptrace', pid, user, tracer_pid: event.tracerPid, ...context };
      case 'sid':
      case 'comm':
      case 'coredump':
        return { event: event.type, pid, user, ...context };
      default:
        return event satisfies never;
    }
  }

  #time(at: number): string {
    const ms = Math.floor(at);
    // Thousands of events may come in one millisecond.
    if (ms !== this.#lastTime.at) this.#lastTime = { at: ms, text: new Date(ms).toISOString() };
    return this.#lastTime.text;
  }
}

/** What procMonitor shows for a user that is not known. */
const UNKNOWN = 'unknown';

interface End {
  readonly exit_status?: number;
  readonly signal?: string;
  readonly core_dumped?: boolean;
  readonly lifetime_ms?: number;
}

function howItEnded(event: { readonly at: number; readonly status: number }, process: RememberedProcess | undefined): End {
  const end = parseWaitStatus(event.status);
  const lifetime =
    process?.startedAt === undefined ? {} : { lifetime_ms: Math.max(0, Math.round(event.at - process.startedAt)) };
  return end.kind === 'exited'
    ? { exit_status: end.code, ...lifetime }
    : { signal: end.signal, core_dumped: end.coreDumped, ...lifetime };
}
