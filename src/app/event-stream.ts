// Opens the event stream of the daemon.
import type { EventStreamStatus } from '../control/status.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ProcessEventType } from '../core/process/event.ts';
import { describingTypes, EventDescriber } from '../stream/describer.ts';
import type { EventStreamOptions } from '../stream/parse-events.ts';
import { ProcessMemory } from '../stream/process-memory.ts';
import { createEventServer } from '../stream/server.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import { ProcessTable } from '../system/proc/table.ts';
import { createProcessEventSource } from '../system/process-events/events.ts';
import type { ProcessEventSource } from '../system/process-events/source.ts';
import { UserNames } from '../system/spawn/user-names.ts';

/** What the event stream needs. */
interface EventStreamParts {
  readonly options: EventStreamOptions;
  /** Made by `createStreamSource(options.types)`. */
  readonly source: ProcessEventSource;
  readonly names: NameResolver;
  readonly clock: Clock;
  readonly log: Logger;
  /** The configured name of the watched process with that pid. */
  readonly monitoredName?: (pid: number) => string | undefined;
}

/** The event stream of a daemon. */
export interface EventStream {
  status(): EventStreamStatus;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Creates a source of the kernel's events with all the types that are needed to describe `types` in full. */
export function createStreamSource(types: ReadonlySet<ProcessEventType>): ProcessEventSource {
  return createProcessEventSource({ types: new Set([...types, ...describingTypes]) });
}

/**
 * Opens the stream. An address that is not available is logged, and the daemon continues without it: healing does not depend on
 * it.
 */
export async function openEventStream(parts: EventStreamParts): Promise<EventStream> {
  const { options, source, log } = parts;
  const ending = new AbortController();
  const { describer, memory } = createDescriber(parts, ending.signal);
  const server = createEventServer({ ...parts, ...options, describer, onOpen: () => void memory.relearn() });
  const outcome = await server.start();
  if (outcome.kind === 'unavailable') log.warning(`Event stream off: ${outcome.reason}`);
  return {
    status: () => {
      const listeners = server.listeners();
      const isOpen = listeners.some(({ state }) => state === 'open');
      const reasons = listeners.map(({ address, reason }) => `${address}: ${reason}`).join('; ');
      return {
        state: isOpen ? 'open' : 'unavailable',
        reason: isOpen ? null : outcome.kind === 'unavailable' ? outcome.reason : reasons,
        lost: source.counters().lost,
        ...server.counters(),
        listeners,
      };
    },
    stop: () => {
      ending.abort();
      return server.stop();
    },
  };
}

/** Creates the describer that makes lines of events; `ending` aborts its look-ups in the background. */
export function createDescriber(
  { clock, monitoredName }: Pick<EventStreamParts, 'clock' | 'monitoredName'>,
  ending: AbortSignal,
): { readonly describer: EventDescriber; readonly memory: ProcessMemory } {
  const memory = new ProcessMemory(new ProcessTable(), clock);
  const names = new UserNames({ clock, signal: ending });
  const userName = (uid: number): string => names.name(uid);
  const describer = new EventDescriber({ memory, userName, ...(monitoredName === undefined ? {} : { monitoredName }) });
  return { describer, memory };
}
