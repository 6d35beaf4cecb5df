import type { TestContext } from 'node:test';
import type { ProcessEvent, ProcessEventType } from '../../src/core/process/event.ts';
import { createProcessEventSource } from '../../src/system/process-events/events.ts';
import type { ProcessEventSource } from '../../src/system/process-events/source.ts';

/** Why the kernel tells nothing of processes here, in one line; undefined where it does. */
export async function processEventsProblem(): Promise<string | undefined> {
  const source = createProcessEventSource({ types: new Set(['exit']) });
  const subscription = await source.subscribe(() => {});
  source.close();
  return subscription.kind === 'unavailable' ? subscription.reason : undefined;
}

/** What a subscriber has heard so far. */
export interface Recording {
  readonly source: ProcessEventSource;
  readonly events: readonly ProcessEvent[];
  /** Of one process, and of no loss. */
  of(pid: number): readonly ProcessEvent[];
  end(): void;
}

/** Subscribes to a source, by default a new one of these kinds, until the end of the test; throws where it is not to be had. */
export async function recordProcessEvents(
  t: TestContext,
  types: readonly ProcessEventType[],
  source = createProcessEventSource({ types: new Set(types) }),
): Promise<Recording> {
  const events: ProcessEvent[] = [];
  const subscription = await source.subscribe((told) => events.push(...told));
  if (subscription.kind === 'unavailable') throw new Error(subscription.reason);
  t.after(() => subscription.end());
  const of = (pid: number): ProcessEvent[] => events.filter((event) => event.type !== 'lost' && event.pid === pid);
  return { source, events, of, end: () => subscription.end() };
}
