// Reads the rows in alarm with a store's statements, and words what is odd about them.
import type { ProcessRow } from '../core/alarm.ts';
import { quoted } from '../core/text/printable.ts';
import { type AlarmsRead, MOST_ALARMS } from './store.ts';

/** The most names that one statement asks for. */
export const NAMES_AT_ONCE = 200;

/** The queries from which the answer of a poll is made. */
interface AlarmQuestions {
  /** The first `limit` rows in alarm, ordered by process_id, including rows without a name. */
  alarms(limit: number): Promise<ProcessRow[]>;
  /** The first `limit` of them that have a name. */
  namedAlarms(limit: number): Promise<ProcessRow[]>;
  /** The first `limit` of them that have one of these names; at most NAMES_AT_ONCE names. */
  alarmsOf(names: readonly string[], limit: number): Promise<ProcessRow[]>;
  /** How many rows are in alarm. */
  count(): Promise<number>;
  /** The process_ids of rows in alarm that another row has too, the first `limit`; [] if there can be none. */
  ambiguousIds(limit: number): Promise<string[]>;
}

/**
 * Reads the rows in alarm: at most MOST_ALARMS, the names in `first` before the others, and no row whose process_id is not
 * unique. `remarks`: what else is odd; `inDoubt`: names of rows that are left alone because one of their flags is not a number.
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

/** The remark that rows are left alone because they share their process_id with others. */
export function ambiguityRemark(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN).map(quoted);
  const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : '';
  return `process_id ${shown.join(', ')}${more}: several rows have it; they are left alone (expected each process_id once)`;
}

/**
 * The remark that counts the rows of STATUS_PROCESS without a name, if there are any; `alarms`: how many of them are in alarm.
 */
export function unnamedRemark(unnamed: number, alarms: number): string[] {
  if (unnamed === 0) return [];
  const inAlarm = alarms === 0 ? '' : ` (${alarms} in alarm)`;
  return [`rows of STATUS_PROCESS without a name in PROCESE: ${unnamed}${inAlarm}; they are never healed`];
}

/** The remark that rows are left alone because one of their flags is not a number. `what`: the columns. */
export function flagRemark(what: string, odd: number): string | undefined {
  if (odd === 0) return undefined;
  return `STATUS_PROCESS: ${what} is not a number in ${odd === 1 ? 'a row' : `${odd} rows`}; they are left alone (expected 0 or 1)`;
}

/** The remark that rows with `alarma = 1` are left alone because their `sound` is NULL. */
export function noSoundRemark(rows: number): string | undefined {
  if (rows === 0) return undefined;
  const which = rows === 1 ? 'a row with alarma = 1; it is' : `${rows} rows with alarma = 1; they are`;
  return `STATUS_PROCESS: sound is NULL in ${which} left alone (expected 0, or 1 once the alarm is acknowledged)`;
}

/** The most names of rows in doubt that are reported. */
export const MOST_IN_DOUBT = 1000;

/** How long a connection trusts what it knows about the tables. */
export const TABLES_VALID_MS = 300_000;

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

/** Rows that nobody can heal take no place from rows that somebody can heal. */
async function namedFirst(ask: AlarmQuestions, some: readonly ProcessRow[]): Promise<readonly ProcessRow[]> {
  if (!some.some(({ processName }) => processName === null)) return some;
  const named = await ask.namedAlarms(MOST_ALARMS + 1);
  const known = new Set(named.map(({ processId }) => processId));
  return [...named, ...some.filter(({ processId }) => !known.has(processId))];
}
