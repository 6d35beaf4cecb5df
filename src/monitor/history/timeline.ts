// What the timeline learns from events.
import type { EmittedEvent, EventBus } from '../../core/events.ts';
import type { HoldRecord, IncidentRecords, Timeline } from '../../state/daemon-state.ts';

/** What lasts when a life of the daemon begins, or after a reload. */
interface LastingNow {
  /** The processes that have a section. */
  readonly processNames: () => readonly string[];
  readonly holds: () => readonly HoldRecord[];
  readonly incidents: Pick<IncidentRecords, 'unfinished'>;
}

/** Records what `uptime` is computed from. */
export function recordTimeline(events: EventBus, timeline: Timeline, now: LastingNow): void {
  let polledAt: Date | undefined;
  events.subscribe((event) => {
    const { at } = event;
    switch (event.type) {
      case 'daemon_started':
        timeline.startLife(at);
        timeline.begin('store', '', at);
        followNames(timeline, now.processNames(), at);
        followHolds(timeline, now.holds(), at);
        followIncidents(timeline, now.incidents, at);
        break;
      case 'config_reloaded':
        followNames(timeline, now.processNames(), at);
        break;
      case 'poll_completed':
        polledAt = at;
        timeline.end('store', '', at);
        break;
      case 'store_doubted':
      case 'store_lost':
        // Who was in alarm is known until the last answer.
        timeline.begin('store', '', polledAt ?? at);
        break;
      case 'incident_opened': {
        const isOnlyInStore = event.by === 'outside' || event.by === 'operator';
        timeline.begin(isOnlyInStore ? 'alarm' : 'down', event.name, at, { incident: event.incident });
        break;
      }
      case 'incident_closed':
        if (event.incident !== null) timeline.endIncident(event.incident, at, event.joined);
        break;
      case 'hold_set':
        timeline.begin('held', event.name ?? '', at, { until: event.until });
        break;
      case 'hold_released':
        timeline.end('held', event.name ?? '', at);
        break;
      case 'check_changed':
        followCheck(timeline, event, at);
        break;
      default:
    }
  });
}

function followCheck(timeline: Timeline, { name, to }: Extract<EmittedEvent, { type: 'check_changed' }>, at: Date): void {
  for (const kind of ['ok', 'failing'] as const) if (kind !== to) timeline.end(kind, name, at);
  if (to === 'ok' || to === 'failing') timeline.begin(to, name, at);
}

function followNames(timeline: Timeline, names: readonly string[], at: Date): void {
  const configured = new Set(names);
  for (const name of timeline.lasting('known')) if (!configured.has(name)) timeline.end('known', name, at);
  for (const name of names) timeline.begin('known', name, at);
}

/** Holds are set and end while history.db cannot be written, too. */
function followHolds(timeline: Timeline, holds: readonly HoldRecord[], at: Date): void {
  for (const name of timeline.lasting('held')) timeline.end('held', name, at);
  for (const { name, until } of holds) if (until === null || until > at) timeline.begin('held', name ?? '', at, { until });
}

/** A damaged history.db is replaced, and its incidents are lost with it. */
function followIncidents(timeline: Timeline, incidents: LastingNow['incidents'], at: Date): void {
  const { open, lastId } = incidents.unfinished();
  if (lastId !== undefined) timeline.keepIncidents(new Set(open.map(({ id }) => id)), at);
}
