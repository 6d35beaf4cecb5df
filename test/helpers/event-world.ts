import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { ProcessEvent, ProcessEventType } from '../../src/core/process/event.ts';
import { EventDescriber } from '../../src/stream/describer.ts';
import type { EventStreamOptions } from '../../src/stream/parse-events.ts';
import { ProcessMemory } from '../../src/stream/process-memory.ts';
import { createEventServer } from '../../src/stream/server.ts';
import { NameResolver } from '../../src/system/names/resolver.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';
import type { ProcessEventSource } from '../../src/system/process-events/source.ts';
import { RecordedLog } from './recorded-log.ts';
import { tempDir } from './temp-dir.ts';
import { waitFor } from './wait-for.ts';

/** A source whose events the test makes. */
export class FakeSource implements ProcessEventSource {
  readonly listeners = new Map<(events: readonly ProcessEvent[]) => void, number>();
  /** What it says instead of opening. */
  problem: string | undefined;
  subscriptions = 0;
  closed = false;

  async subscribe(listener: (events: readonly ProcessEvent[]) => void): ReturnType<ProcessEventSource['subscribe']> {
    if (this.problem !== undefined) return { kind: 'unavailable', reason: this.problem };
    this.subscriptions++;
    const others = this.listeners.get(listener) ?? 0;
    this.listeners.set(listener, others + 1);
    const end = (): void => {
      const left = (this.listeners.get(listener) ?? 0) - 1;
      if (left > 0) this.listeners.set(listener, left);
      else this.listeners.delete(listener);
    };
    return { kind: 'open', isFirst: others === 0, end };
  }

  tell(...events: ProcessEvent[]): void {
    for (const listener of this.listeners.keys()) listener(events);
  }

  counters(): { received: number; lost: number } {
    return { received: 0, lost: 0 };
  }

  close(): void {
    this.closed = true;
    this.listeners.clear();
  }
}

/** No process ever has such a pid (PID_MAX_LIMIT is 2^22). */
export const NO_PID = 5_000_000;

/** The exit of a process that there never was; `status` as wait(2) gives it. */
export function exitOf(pid: number, status = 0): ProcessEvent {
  return { type: 'exit', at: Date.now(), pid, parentPid: 1, status };
}

export interface StreamWorld {
  readonly source: FakeSource;
  readonly server: ReturnType<typeof createEventServer>;
  readonly log: RecordedLog;
  readonly path: string;
}

/** A stream on a Unix socket of the test's own and, with `tcp`, a port; stopped after the test. */
export async function startStream(
  t: TestContext,
  changes: Partial<EventStreamOptions> & { readonly clock?: Clock } = {},
): Promise<StreamWorld> {
  const { clock = systemClock, ...options } = changes;
  const path = options.socket?.path ?? join(tempDir(t), 'events.sock');
  const source = new FakeSource();
  const log = new RecordedLog();
  const memory = new ProcessMemory(new ProcessTable(), clock);
  const describer = new EventDescriber({ memory, userName: (uid) => (uid === 0 ? 'root' : `user${uid}`) });
  const server = createEventServer({
    socket: { path, mode: 0o660, group: undefined },
    tcp: undefined,
    types: new Set<ProcessEventType>(['exec', 'exit', 'fork']),
    clients: 10,
    ...options,
    source,
    describer,
    names: new NameResolver(),
    clock,
    log,
    onOpen: () => void memory.relearn(),
  });
  await server.start();
  t.after(() => server.stop());
  return { source, server, log, path };
}

/** A client written from the wire format alone. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(t: TestContext, socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.text += text;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    t.after(() => socket.destroy());
  }

  /** Connects to a path or a port of 127.0.0.1; over the latter from `localAddress`. */
  static async open(t: TestContext, where: string | number, localAddress = '127.0.0.1'): Promise<RawClient> {
    const place = typeof where === 'string' ? { path: where } : { port: where, host: '127.0.0.1', localAddress };
    const socket = connect(place);
    const client = new RawClient(t, socket);
    await once(socket, 'connect');
    return client;
  }

  /** The lines that are JSON. */
  events(): Record<string, unknown>[] {
    const lines = this.text.slice(0, this.text.lastIndexOf('\n') + 1).split('\n');
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async says(text: string): Promise<void> {
    await waitFor(`${JSON.stringify(text)} after ${JSON.stringify(this.text.slice(-200))}`, () => this.text.includes(text));
  }

  async gone(): Promise<void> {
    await waitFor('the connection closed', () => this.closed);
  }
}

/** Waits until the server has taken so many clients in. */
export async function clientsOf(server: ReturnType<typeof createEventServer>, count: number): Promise<void> {
  await waitFor(`${count} clients`, () => server.counters().clients === count);
}
