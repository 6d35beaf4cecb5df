import type { ProcessEvent, ProcessEventType } from '../../core/process/event.ts';
import { type HeadlessProcess, ProcessEnds } from './ends.ts';
import type { KernelTime } from './kernel-time.ts';
import { EventLoss } from './loss.ts';
import type { ProcRecord } from './message.ts';
import type { ProcessEventCounters } from './source.ts';

/** Makes events of the kernel's messages: those of threads are left out, missing ones are reported as `lost`. */
export class ProcessEventTranslator {
  readonly #wanted: ReadonlySet<ProcessEventType>;
  readonly #time: KernelTime;
  readonly #ends: ProcessEnds;
  #loss = new EventLoss({ byGaps: false });
  #events: ProcessEvent[] = [];
  #received = 0;
  #lost = 0;

  constructor(wanted: ReadonlySet<ProcessEventType>, time: KernelTime, ends = new ProcessEnds()) {
    this.#wanted = wanted;
    this.#time = time;
    this.#ends = ends;
  }

  /** Must be called first. `filtered`: the kernel leaves some events out. */
  start({ filtered }: { readonly filtered: boolean }): void {
    this.#loss = new EventLoss({ byGaps: !filtered });
  }

  read(record: ProcRecord): void {
    // Acknowledgements are numbered like events, and so count for both.
    this.#received += 1;
    const lost = this.#loss.before(record.cpu, record.sequence);
    const at = this.#time.dateMs(record.monotonicMs);
    if (lost > 0) this.#addLost(at, lost);
    if (record.type === 'acknowledged') return;
    if (record.thread === record.pid) this.#readFirstThread(record, at);
    else this.#readOtherThread(record, at);
  }

  /** The kernel reported that its buffer was full. */
  overrun(): void {
    this.#loss.overrun();
  }

  /** All events that the kernel buffered have been read. */
  drained(): void {
    const lost = this.#loss.afterDrain();
    if (lost > 0) this.#addLost(this.#time.nowMs(), lost);
  }

  /** Looks for ended processes that no event reported. */
  lookAgain(): void {
    for (const process of this.#ends.lookAgain()) this.#addExit(process, this.#time.nowMs());
  }

  /** True as long as `lookAgain` has to be called, about once a second. */
  get waiting(): boolean {
    return this.#ends.waiting;
  }

  /** The events since the last call. */
  take(): readonly ProcessEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  get counters(): ProcessEventCounters {
    return { received: this.#received, lost: this.#lost };
  }

  #readFirstThread(record: ProcRecord, at: number): void {
    const { type, pid } = record;
    switch (type) {
      case 'fork': {
        const former = this.#ends.processStarted(pid);
        if (former !== undefined) this.#addExit(former, at);
        if (this.#wanted.has(type)) this.#events.push({ type, at, pid, parentPid: record.parentPid });
        return;
      }
      case 'exec':
        this.#ends.executed(pid);
        if (this.#wanted.has(type)) this.#events.push({ type, at, pid });
        return;
      case 'exit':
        if (this.#wanted.has(type) && this.#ends.firstThreadEnded(pid, record.parentPid, record.status))
          this.#addExit(record, at);
        return;
      case 'uid':
      case 'gid':
        if (this.#wanted.has(type)) this.#events.push({ type, at, pid, real: record.real, effective: record.effective });
        return;
      case 'sid':
        if (this.#wanted.has(type)) this.#events.push({ type, at, pid });
        return;
      case 'ptrace':
        if (this.#wanted.has(type)) this.#events.push({ type, at, pid, tracerPid: record.tracerPid });
        return;
      case 'comm':
        if (this.#wanted.has(type)) this.#events.push({ type, at, pid, name: record.name });
        return;
      case 'coredump':
        this.#readCoredump(record, at);
        return;
      case 'acknowledged':
        return;
      default:
        (type) satisfies never;
    }
  }

  #readOtherThread(record: ProcRecord, at: number): void {
    if (record.type === 'fork') this.#ends.threadStarted(record.pid);
    // The thread that caused it, whichever it was.
    else if (record.type === 'coredump') this.#readCoredump(record, at);
    else if (record.type === 'exit') {
      const process = this.#ends.threadEnded(record.pid, record.status);
      if (process !== undefined) this.#addExit(process, at);
    }
  }

  #readCoredump({ pid, parentPid }: ProcRecord, at: number): void {
    if (this.#wanted.has('coredump')) this.#events.push({ type: 'coredump', at, pid, parentPid });
  }

  #addExit({ pid, parentPid, status }: HeadlessProcess, at: number): void {
    this.#events.push({ type: 'exit', at, pid, parentPid, status });
  }

  #addLost(at: number, count: number): void {
    this.#lost += count;
    this.#ends.forget();
    this.#events.push({ type: 'lost', at, count });
  }
}
