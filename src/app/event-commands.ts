import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ProcessEvent } from '../core/process/event.ts';
import type { EventLine } from '../core/process/event-line.ts';
import type { EventStreamOptions } from '../stream/parse-events.ts';
import { NameResolver } from '../system/names/resolver.ts';
import { forbidDumps } from '../system/native/dumps.ts';
import type { ProcessEventSource } from '../system/process-events/source.ts';
import type { CliBackends } from './backends.ts';
import { createDescriber, openEventStream } from './event-stream.ts';

/** `CliBackends.followEvents` on a given source, which is closed at the end. */
export async function followSource(
  source: ProcessEventSource,
  { types, signals, onLines }: Parameters<CliBackends['followEvents']>[0],
): ReturnType<CliBackends['followEvents']> {
  const ending = new AbortController();
  const { describer, memory } = createDescriber({ clock: systemClock }, ending.signal);
  let received = 0;
  const listener = (events: readonly ProcessEvent[]): void => {
    const lines: EventLine[] = [];
    for (const event of events) {
      const line = describer.describe(event, types);
      if (line === undefined) continue;
      lines.push(line);
      if (event.type !== 'lost') received++;
    }
    if (lines.length > 0) onLines(lines);
  };
  try {
    const subscription = await source.subscribe(listener);
    if (subscription.kind === 'unavailable') return subscription;
    void memory.relearn();
    await stopped(signals);
    subscription.end();
    return { kind: 'ended', received, lost: source.counters().lost };
  } finally {
    ending.abort();
    source.close();
  }
}

/** `CliBackends.serveEvents` on a given source, which is closed at the end. */
export async function serveSource(
  source: ProcessEventSource,
  { types, socket, tcp, auth, clients, signals, say }: Parameters<CliBackends['serveEvents']>[0],
): ReturnType<CliBackends['serveEvents']> {
  if (tcp !== undefined && !auth) return { kind: 'unavailable', reason: 'TCP needs a password' };
  const dumpable = forbidDumps();
  if (dumpable !== undefined) say(`A core dump would hold the password: ${dumpable}`);
  const options: EventStreamOptions = {
    socket: socket === undefined ? undefined : { path: socket, mode: 0o660, group: undefined },
    tcp: tcp === undefined || !auth ? undefined : { ...tcp, auth, tls: undefined },
    types,
    clients,
  };
  // If the stream could not be opened at all, the reason is returned, not printed.
  const early: string[] = [];
  let sayError = (line: string): void => void early.push(line);
  const log: Logger = { debug: say, info: say, warning: say, error: (line) => sayError(line) };
  const stream = await openEventStream({ options, source, names: new NameResolver(), clock: systemClock, log });
  try {
    const { state, reason } = stream.status();
    if (state === 'unavailable') return { kind: 'unavailable', reason: reason ?? '' };
    sayError = say;
    for (const line of early) say(line);
    await stopped(signals);
    return { kind: 'ended' };
  } finally {
    await stream.stop();
    source.close();
  }
}

function stopped(signals: Parameters<CliBackends['followEvents']>[0]['signals']): Promise<void> {
  return new Promise((resolve) => signals.onStop(resolve));
}
