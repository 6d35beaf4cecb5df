import { closest } from '../config/did-you-mean.ts';
import { errorMessage, StoreError } from '../core/errors.ts';
import { nearName } from '../core/text/near-name.ts';
import { escapeInvisible, invisibleIn, quoted } from '../core/text/printable.ts';
import type { DatabaseReport } from './backends.ts';
import { rowScope, type Settings } from './settings.ts';
import type { UnitReport } from './unit-report.ts';

/** What `check-config --database` tells, and what it has seen on the way. */
export interface AskedDatabase {
  readonly report: DatabaseReport;
  /** Of names that a section depends on, whether they have a row; undefined: that is not known. */
  readonly hasRow: (name: string) => Promise<boolean | undefined>;
}

/** Asks the store of `settings`. Never rejects for what a store may fail with. */
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
      // Beyond so many it takes a question of its own.
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
    // What the tables make of it is wrong with the file.
    if (fault === 'config') settings.document.section('host').problem('host_id', errorMessage(error));
    return { report: { kind: 'failed', description, reason: errorMessage(error), fault }, hasRow: unknownRow };
  } finally {
    await store.close();
  }
}

const MOST_NAMES = 100_000;

type Told = Pick<Extract<DatabaseReport, { kind: 'ok' }>, 'report' | 'unseen' | 'near'>;

/** What somebody should look at stands among the problems of the file: at its [database], or at the section that it is about. */
function warnOfDatabase({ document, monitor }: Settings, { report, unseen = [], near = [] }: Told): void {
  const warn = (problem: string): void => document.section('database').warning('', problem);
  for (const remark of report.remarks) warn(remark);
  if (report.canClear === false && monitor.clearAlarm)
    warn('alarms cannot be cleared: no right to UPDATE alarma and notes (expected that right, or clear_alarm = false)');
  if (report.canClear === null) warn('whether alarms can be cleared cannot be told');
  for (const { name, section } of near)
    document.warnOfProcess(
      section,
      '',
      `does not hold for ${quoted(name)}, which differs from its name by blanks, letter case or how accents are written`,
    );
  for (const { name, holds } of unseen)
    warn(`${quoted(name)} holds ${holds}, which is invisible: it is another name than it looks like, and cannot stand for %s`);
}

/** An alarm of a watched one's own is kept by the daemon where the store has no row for it; nobody else can raise one. */
function warnOfUnmatched(
  { document, processNames, watchedNames }: Settings,
  found: { readonly unmatched: readonly string[]; readonly names: readonly string[]; readonly near: ReadonlySet<string> },
): void {
  const { unmatched, names, near } = found;
  const configured = new Set(processNames);
  const free = names.filter((name) => !configured.has(name));
  const isHinted = unmatched.length * free.length <= MOST_COMPARED;
  for (const name of unmatched) {
    // One that differs by blanks or case alone is told of beside this.
    const meant = isHinted && !near.has(name) ? closest(name, free) : undefined;
    const hint = meant === undefined ? '' : ` (did you mean ${escapeInvisible(meant)}?)`;
    const what = watchedNames.includes(name)
      ? 'only its own exits raise an alarm, which the daemon keeps'
      : 'it is never in alarm';
    document.warnOfProcess(name, '', `matches no row of the database: ${what}${hint}`);
  }
}

/** Some seconds. */
const MOST_COMPARED = 300_000;

/** For who has not asked. */
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

/** Names that differ from that of a section by blanks or case alone, and so are none of its. */
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
