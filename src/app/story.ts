// What happened, and the story of one incident, from the history.
import type { HistoryFilter, HistoryRecord } from '../control/orders/history.ts';
import type { Orders } from '../control/orders.ts';
import type { ProcessStatus } from '../control/status.ts';
import type { RecordedEntry } from '../state/daemon-state.ts';
import type { Core } from './app.ts';
import { isConfigured, type NameSources, refuse, unknownName } from './known-names.ts';

/** What happened, as far as it fits the filter. */
export async function readHistory(
  core: NameSources,
  { name, since, until, type, before, after, limit = USUAL_LIMIT }: HistoryFilter,
): ReturnType<Orders['history']> {
  const refusal = unreadable(core) ?? (name === undefined ? undefined : await unknownName(core, name));
  if (refusal !== undefined) return refusal;
  const entries = core.state.history.find({
    processName: name,
    types: type === undefined ? undefined : [type],
    since: since === undefined ? undefined : new Date(since),
    until: until === undefined ? undefined : new Date(until),
    before,
    after,
    limit,
  });
  return { kind: 'done', events: entries.map(recordOf) };
}

const USUAL_LIMIT = 100;

/** The story of the last incident that `name` has belonged to, or of the one with that number. */
export async function tellStory(
  core: NameSources,
  asked: string,
  id: number | undefined,
  { daemonRuns, statusOf }: { readonly daemonRuns: boolean; readonly statusOf: (name: string) => Promise<ProcessStatus> },
): ReturnType<Orders['why']> {
  // What a check finds belongs to its process.
  const check = core.settings().checks.find(({ settings }) => settings.name === asked)?.settings;
  const name = isConfigured(core, asked) ? asked : (check?.processName ?? asked);
  const refusal = unreadable(core) ?? (check === undefined ? await unknownName(core, name) : undefined);
  if (refusal !== undefined) return refusal;
  const { history, incidents } = core.state;
  const [last] = history.find({ processName: name, hasIncident: true, limit: 1 });
  const found = incidents.get(id ?? last?.incident ?? 0);
  if (id !== undefined && !found?.names.includes(name)) return refuse('not_found', `${name} has no incident ${id}`);
  const incident = found?.closed?.joined ? (incidents.get(found.closed.joined) ?? found) : found;
  const { state, reason } = await statusOf(name);
  const now = { state, reason, daemonRuns };
  if (incident === undefined) return { kind: 'done', incident: null, events: [], leftOut: 0, ...now };
  const { closed, openedAt, by, names } = incident;
  const ids = [incident.id, ...incidents.joinedTo(incident.id)];
  const leftOut = Math.max(0, history.count(ids) - 2 * HALF);
  const events =
    leftOut === 0
      ? history.find({ incidents: ids, limit: 2 * HALF })
      : [...history.find({ incidents: ids, after: 0, limit: HALF }), ...history.find({ incidents: ids, limit: HALF })];
  return {
    kind: 'done',
    incident: {
      id: incident.id,
      name: incident.name,
      names,
      by,
      openedAt: openedAt.toISOString(),
      closedAt: closed?.at.toISOString() ?? null,
      how: closed?.how ?? null,
    },
    events: events.map(recordOf),
    leftOut,
    ...now,
  };
}

/** An incident that lasts for days has thousands of events: so many of its beginning and of its end are shown. */
const HALF = 100;

function unreadable({ state }: Pick<Core, 'state'>): ReturnType<typeof refuse> | undefined {
  return state.unreadable === undefined ? undefined : refuse('unavailable', state.unreadable);
}

function recordOf({ id, at, type, processName, incident, detail, output = [] }: RecordedEntry): HistoryRecord {
  return { id, at: at.toISOString(), type, name: processName, incident, detail, output };
}
