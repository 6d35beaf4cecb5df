// What `check-config --database` reports about the database.
import { closest } from '../config/did-you-mean.ts';
import { errorMessage, StoreError } from '../core/errors.ts';
import { nearName } from '../core/text/near-name.ts';
import { escapeInvisible, invisibleIn, quoted } from '../core/text/printable.ts';
import type { DatabaseReport } from './backends.ts';
import { rowScope, type Settings } from './settings.ts';
import type { UnitReport } from './unit-report.ts';

/** What `check-config --database` reports, and what it learned about rows. */
interface AskedDatabase {
  readonly report: DatabaseReport;
  /** Whether a name has a row; undefined: not known. */
  readonly hasRow: (name: string) => Promise<boolean | undefined>;
}

/** Asks the store of `settings`. A fault of the store is part of the report; it never rejects for one. */
export async function askDatabase(settings: Settings, units: UnitReport): Promise<AskedDatabase> {
  const { database, processNames } = settings;
  const { description } = database;
  const store = await database.openExisting(rowScope(settings));
  try {
    const report = await store.inspect();
    const names = await store.listNames(MOST_NAMES);
    const known = new Set(names);
    const unmatched: string[] = [];
    for (const name of processNames) {
      // If the list was cut off, a separate query is needed.
      const has = known.has(name) || (names.length === MOST_NAMES && (await store.findProcesses(name)).length > 0);
      if (!has) unmatched.push(name);
    }
    const leftAlone = await units.leftAlone(names);
    const odd = { ...unseenNames(names), ...nearNames(names, processNames) };
    const near = new Set(odd.near?.map(({ section }) => section));
    warnOfUnmatched(settings, { unmatched, names, near });
    warnOfDatabase(settings, { report, ...odd });
    return {
      report: { kind: 'ok', description, report, unmatched, leftAlone, ...odd },
      hasRow: async (name) => known.has(name) || (names.length === MOST_NAMES ? undefined : false),
    };
  } catch (error) {
    const fault = error instanceof StoreError ? error.fault : 'failed';
    // The tables contradict the file, so it is a problem of the file.
    if (fault === 'config') settings.document.section('host').problem('host_id', errorMessage(error));
    return { report: { kind: 'failed', description, reason: errorMessage(error), fault }, hasRow: unknownRow };
  } finally {
    await store.close();
  }
}

const MOST_NAMES = 100_000;

type Reported = Pick<Extract<DatabaseReport, { kind: 'ok' }>, 'report' | 'unseen' | 'near'>;

/** Adds what an operator should look at to the problems of the file: at [database], or at the section that it is about. */
function warnOfDatabase({ document, monitor }: Settings, { report, unseen = [], near = [] }: Reported): void {
  const warn = (problem: string): void => document.section('database').warning('', problem);
  for (const remark of report.remarks) warn(remark);
  if (report.canClear === false && monitor.clearAlarm)
    warn('alarms cannot be cleared: no right to UPDATE alarma and notes (expected that right, or clear_alarm = false)');
  if (report.canClear === null) warn('it is not known whether alarms can be cleared');
  for (const { name, section } of near)
    document.warnOfProcess(
      section,
      '',
      `does not apply to ${quoted(name)}, which differs from its name by blanks, letter case or how accents are written`,
    );
  for (const { name, holds } of unseen)
    warn(`${quoted(name)} holds ${holds}, which is invisible: it is another name than it looks like, and cannot stand for %s`);
}

/**
 * Without a row nobody can raise an alarm, except the daemon for an exit of a watched process: it stores that alarm locally.
 */
function warnOfUnmatched(
  { document, processNames, watchedNames }: Settings,
  found: { readonly unmatched: readonly string[]; readonly names: readonly string[]; readonly near: ReadonlySet<string> },
): void {
  const { unmatched, names, near } = found;
  const configured = new Set(processNames);
  const free = names.filter((name) => !configured.has(name));
  const isHinted = unmatched.length * free.length <= MOST_COMPARED;
  for (const name of unmatched) {
    // A name that differs only by blanks or case is reported separately.
    const meant = isHinted && !near.has(name) ? closest(name, free) : undefined;
    const hint = meant === undefined ? '' : ` (did you mean ${escapeInvisible(meant)}?)`;
    const what = watchedNames.includes(name)
      ? 'only its own exits raise an alarm, which the daemon keeps'
      : 'it is never in alarm';
    document.warnOfProcess(name, '', `matches no row of the database: ${what}${hint}`);
  }
}

/** The most comparisons of names: they take some seconds. */
const MOST_COMPARED = 300_000;

/** `hasRow` if the database was not asked: never known. */
export async function unknownRow(): Promise<undefined> {
  return undefined;
}

function unseenNames(names: readonly string[]): Pick<Extract<DatabaseReport, { kind: 'ok' }>, 'unseen'> {
  const unseen = names.flatMap((name) => {
    const holds = invisibleIn(name);
    return holds === undefined ? [] : [{ name, holds }];
  });
  return unseen.length === 0 ? {} : { unseen };
}

/** Names that differ from a section's only by blanks or case, so that the section does not apply to them. */
function nearNames(
  names: readonly string[],
  sections: readonly string[],
): Pick<Extract<DatabaseReport, { kind: 'ok' }>, 'near'> {
  const near = names.flatMap((name) => {
    const section = nearName(name, sections);
    return section === undefined ? [] : [{ name, section }];
  });
  return near.length === 0 ? {} : { near };
}
