// What happened, and the story of one incident, from the history.
import type { HistoryFilter, HistoryRecord } from '../control/orders/history.ts';
import type { IncidentStatus } from '../control/orders/why.ts';
import type { Orders } from '../control/orders.ts';
import type { ProcessStatus } from '../control/status.ts';
import { checkOf } from '../detectors/checks/part-names.ts';
import type { IncidentRecord, RecordedEntry } from '../state/daemon-state.ts';
import type { Core } from './app.ts';
import { isConfigured, type NameSources, refuse, unknownName } from './known-names.ts';

/** What happened, as far as it fits the filter. */
export async function readHistory(
  core: NameSources,
  { name, since, until, type, before, after, limit = USUAL_LIMIT }: HistoryFilter,
): ReturnType<Orders['history']> {
  const told = name === undefined ? undefined : toldAs(core, name);
  const refusal = unreadable(core) ?? (told === undefined || told.isCheck ? undefined : await unknownName(core, told.name));
  if (refusal !== undefined) return refusal;
  const entries = core.state.history.find({
    processName: told?.name,
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
  const { name, isCheck } = toldAs(core, asked);
  const refusal = unreadable(core) ?? (isCheck ? undefined : await unknownName(core, name));
  if (refusal !== undefined) return refusal;
  const { history, incidents } = core.state;
  const [last] = history.find({ processName: name, hasIncident: true, limit: 1 });
  const found = incidents.get(id ?? last?.incident ?? 0);
  if (id !== undefined && !found?.names.includes(name)) return refuse('not_found', `${name} has no incident ${id}`);
  const incident = found?.closed?.joined ? (incidents.get(found.closed.joined) ?? found) : found;
  const { state, reason } = await statusOf(name);
  const now = { state, reason, daemonRuns };
  if (incident === undefined) return { kind: 'done', incident: null, events: [], leftOut: 0, ...now };
  const ids = [incident.id, ...incidents.joinedTo(incident.id)];
  const leftOut = Math.max(0, history.count(ids) - 2 * HALF);
  const events =
    leftOut === 0
      ? history.find({ incidents: ids, limit: 2 * HALF })
      : [...history.find({ incidents: ids, after: 0, limit: HALF }), ...history.find({ incidents: ids, limit: HALF })];
  return {
    kind: 'done',
    incident: incidentOf(incident),
    events: events.map(recordOf),
    leftOut,
    ...now,
  };
}

/**
 * The name under which the history has what was asked for. What a check finds belongs to its process; of a check that has only parts, the
 * part that fails, or else the one of the newest incident, is meant.
 */
function toldAs(core: NameSources, asked: string): { readonly name: string; readonly isCheck: boolean } {
  if (isConfigured(core, asked)) return { name: asked, isCheck: false };
  const check = core.settings().checks.find(({ settings: { name } }) => name === checkOf(asked));
  if (check === undefined) return { name: asked, isCheck: false };
  const { processName, name } = check.settings;
  if (processName !== undefined || !check.hasOnlyParts || asked !== name) return { name: processName ?? asked, isCheck: true };
  const parts = core.state.checkStates.list().filter((part) => part.name !== name && checkOf(part.name) === name);
  const lastIncident = (part: string): number =>
    core.state.history.find({ processName: part, hasIncident: true, limit: 1 })[0]?.incident ?? 0;
  const [first] = parts
    .map((part) => ({ ...part, incident: lastIncident(part.name), isFailing: part.verdict === 'failing' }))
    .sort((a, b) => Number(b.isFailing) - Number(a.isFailing) || b.incident - a.incident);
  return { name: first?.name ?? asked, isCheck: true };
}

/** The incidents that are open, and the last ones that are closed. */
export async function listIncidents(core: Pick<Core, 'state'>, limit = USUAL_LIMIT): ReturnType<Orders['incidents']> {
  return unreadable(core) ?? { kind: 'done', incidents: core.state.incidents.latest(limit).map(incidentOf) };
}

/** An incident that lasts for days has thousands of events: so many of its beginning and of its end are shown. */
const HALF = 100;

/** The refusal if nothing of the history can be read; undefined if it can. */
export function unreadable({ state }: Pick<Core, 'state'>): ReturnType<typeof refuse> | undefined {
  return state.unreadable === undefined ? undefined : refuse('unavailable', state.unreadable);
}

function recordOf({ id, at, type, processName, incident, detail, output = [] }: RecordedEntry): HistoryRecord {
  return { id, at: at.toISOString(), type, name: processName, incident, detail, output };
}

function incidentOf({ id, name, names, by, openedAt, closed }: IncidentRecord): IncidentStatus {
  const [closedAt, how] = [closed?.at.toISOString() ?? null, closed?.how ?? null];
  return { id, name, names, by, openedAt: openedAt.toISOString(), closedAt, how };
}
