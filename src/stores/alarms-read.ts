import type { ProcessRow } from '../core/alarm.ts';
import { quoted } from '../core/text/printable.ts';
import { type AlarmsRead, MOST_ALARMS } from './store.ts';

/** So many names are asked for in one statement, however many there are. */
export const NAMES_AT_ONCE = 200;

/** The questions whose answers a poll is made of. */
interface AlarmQuestions {
  /** The rows in alarm by process_id, those without a name too, the first `limit` of them. */
  alarms(limit: number): Promise<ProcessRow[]>;
  /** Those of them with a name. */
  namedAlarms(limit: number): Promise<ProcessRow[]>;
  /** Those of them with one of these names, NAMES_AT_ONCE at most. */
  alarmsOf(names: readonly string[], limit: number): Promise<ProcessRow[]>;
  /** How many rows are in alarm. */
  count(): Promise<number>;
  /** Which process_ids of rows in alarm are shared with another row, the first `limit`; [] where none can be. */
  ambiguousIds(limit: number): Promise<string[]>;
}

/**
 * Who is in alarm: no more than can be taken, what is named in `first` before the rest, and nothing whose id is not its own.
 * `remarks`: what is odd besides; `inDoubt`: names of rows that are left alone for a flag of theirs.
 */
export async function readAlarmsBy(
  ask: AlarmQuestions,
  first: readonly string[],
  { remarks, inDoubt }: { readonly remarks: readonly string[]; readonly inDoubt: readonly string[] },
): Promise<AlarmsRead> {
  const some = await ask.alarms(MOST_ALARMS + 1);
  if (some.length === 0) return { rows: some, leftOut: 0, doubtful: inDoubt, remarks };
  const areAll = some.length <= MOST_ALARMS;
  const taken = areAll ? some : await withPrecedence(ask, await namedFirst(ask, some), first);
  const leftOut = areAll ? 0 : Math.max((await ask.count()) - taken.length, 1);
  const shared = new Set(await ask.ambiguousIds(MOST_ALARMS));
  if (shared.size === 0) return { rows: taken, leftOut, doubtful: inDoubt, remarks };
  const rows = taken.filter(({ processId }) => !shared.has(processId));
  const left = taken.filter(({ processId }) => shared.has(processId));
  const sharing = left.map(({ processName }) => processName).filter((name) => name !== null);
  const doubtful = [...new Set([...sharing, ...inDoubt])];
  return { rows, leftOut, doubtful, remarks: [...remarks, ambiguityRemark([...shared])] };
}

/** That rows are left alone because they share their process_id with others. */
export function ambiguityRemark(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN).map(quoted);
  const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : '';
  return `process_id ${shown.join(', ')}${more}: several rows have it; they are left alone (expected each process_id once)`;
}

/** How many rows of STATUS_PROCESS have no name, if any; `alarms`: of those in alarm. */
export function unnamedRemark(unnamed: number, alarms: number): string[] {
  if (unnamed === 0) return [];
  const inAlarm = alarms === 0 ? '' : ` (${alarms} in alarm)`;
  return [`rows of STATUS_PROCESS without a name in PROCESE: ${unnamed}${inAlarm}; they are never healed`];
}

/** That rows are left alone because a flag of theirs is no number. `what`: of which columns. */
export function flagRemark(what: string, odd: number): string | undefined {
  if (odd === 0) return undefined;
  return `STATUS_PROCESS: ${what} is no number in ${odd === 1 ? 'a row' : `${odd} rows`}; they are left alone (expected 0 or 1)`;
}

/** So many names of rows in doubt are told of. */
export const MOST_IN_DOUBT = 1000;

/** How long what is known of tables is believed on a connection. */
export const LOOK_AGAIN_MS = 300_000;

const SHOWN = 5;

async function withPrecedence(
  ask: AlarmQuestions,
  some: readonly ProcessRow[],
  first: readonly string[],
): Promise<ProcessRow[]> {
  const named: ProcessRow[] = [];
  for (let i = 0; i < first.length && named.length < MOST_ALARMS; i += NAMES_AT_ONCE)
    named.push(...(await ask.alarmsOf(first.slice(i, i + NAMES_AT_ONCE), MOST_ALARMS - named.length)));
  const known = new Set(named.map(({ processId }) => processId));
  const rest = some.filter(({ processId }) => !known.has(processId));
  return [...named, ...rest.slice(0, MOST_ALARMS - named.length)];
}

/** What nobody can heal takes no room from what somebody can. */
async function namedFirst(ask: AlarmQuestions, some: readonly ProcessRow[]): Promise<readonly ProcessRow[]> {
  if (!some.some(({ processName }) => processName === null)) return some;
  const named = await ask.namedAlarms(MOST_ALARMS + 1);
  const known = new Set(named.map(({ processId }) => processId));
  return [...named, ...some.filter(({ processId }) => !known.has(processId))];
}
