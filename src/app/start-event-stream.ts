import type { ProcessEventSource } from '../system/process-events/source.ts';
import type { Core } from './app.ts';
import type { EventStream } from './event-stream.ts';

/** The source of process events for all its subscribers; undefined if the file has no `[events]`. */
export async function createDaemonSource({
  settings,
  stops,
}: Pick<Core, 'settings' | 'stops'>): Promise<ProcessEventSource | undefined> {
  const { events: options } = settings();
  if (options === undefined) return undefined;
  const source = (await import('./event-stream.ts')).createStreamSource(options.types);
  stops.push('process events', async () => source.close());
  return source;
}

/** Opens the event stream if the file has `[events]`. */
export async function startEventStream(
  { clock, exits, log, names, settings, stops }: Pick<Core, 'clock' | 'exits' | 'log' | 'names' | 'settings' | 'stops'>,
  source: ProcessEventSource | undefined,
): Promise<EventStream | undefined> {
  const { events: options } = settings();
  if (options === undefined || source === undefined) return undefined;
  const { openEventStream } = await import('./event-stream.ts');
  const stream = await openEventStream({ options, source, names, clock, log, monitoredName: (pid) => exits.nameOf(pid) });
  stops.push('event stream', () => stream.stop());
  return stream;
}
