import { DEFAULT_SECTION } from '../core/config.ts';
import type { ConfigProblem } from '../core/errors.ts';
import { unseenIn } from '../core/text/printable.ts';
import { closest } from './did-you-mean.ts';
import { isSecretKey, readValue } from './ini-value.ts';
import type { IniDocument, IniSection } from './read-ini.ts';

/** What a process's section is called, before the process's name. */
export const PROCESS_PREFIX = 'process.';

/** All process sections have the same keys, and count as one: the group that keys are known by. */
export function groupOf(section: string): string {
  return section.startsWith(PROCESS_PREFIX) ? PROCESS_PREFIX : section;
}

/** The keys that somebody asked for, by group (groupOf). */
type Asked = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Warnings of what stands in a file and nobody asked for, with what was most likely meant, and of what makes a name, a key or a value
 * another one than it looks like; section by section. `isFull`: no more of them is told, so nothing is guessed.
 */
export function* unknownEntries(ini: IniDocument, asked: Asked, isFull: () => boolean): Iterable<ConfigProblem> {
  for (const section of ini.sections.values()) {
    const known = asked.get(groupOf(section.name));
    if (known === undefined) yield unknownSection(section, asked, isFull);
    else yield* unknownKeys(section, known, asked, isFull);
    yield* misspeltDefault(section);
    yield* unseen(section, known ?? new Set());
  }
}

function warning(line: number, section: string, key: string, problem: string): ConfigProblem {
  return { severity: 'warning', line, section, key, problem };
}

function unknownSection(section: IniSection, asked: Asked, isFull: () => boolean): ConfigProblem {
  const { name, line } = section;
  // Nobody reads the two hundredth guess, and guessing is what takes time here.
  const hint = (): string => (isFull() ? '' : sectionHint(section, asked));
  return warning(line, name, '', foreignWord(name) ?? `unknown section, ignored${hint()}`);
}

function sectionHint({ name, entries }: IniSection, asked: Asked): string {
  const known = [...asked.keys()].filter((group) => group !== PROCESS_PREFIX);
  const group = groupOfKeys([...entries.keys()], asked);
  const meant = group === undefined || group === PROCESS_PREFIX ? meantSection(name, known) : `[${group}]`;
  return meant === undefined ? ` (a process's section is called [process.NAME])` : ` (did you mean ${meant}?)`;
}

/**
 * The section that a header most likely means, as it must be written: one of `known`, or that of a process. Undefined if nothing can be
 * said: a process without a name, a name too long to be shown, or one that holds what is not seen.
 */
function meantSection(header: string, known: Iterable<string>): string | undefined {
  const [, word = '', rest = ''] = /^([a-z]+)[\s.:/\\_-]+(.*)$/is.exec(header) ?? [];
  const isProcess = closest(word, ['process', 'service']) !== undefined;
  const near = isProcess ? undefined : closest(header, [...known, 'default']);
  if (near !== undefined) return near === 'default' ? `[${DEFAULT_SECTION}]` : `[${near}]`;
  const name = isProcess ? rest.trim() : header;
  if (name === '' || closest(name, ['process']) !== undefined) return undefined;
  if (name.length > LONGEST || unseenIn(name) !== undefined || /\p{Cc}/u.test(name)) return undefined;
  return `[process.${name}]`;
}

/** A longer one would not be shown whole. */
const LONGEST = 80;

/** The group that has the most of these keys; undefined if there is none, or several have as many. */
function groupOfKeys(keys: readonly string[], asked: Asked): string | undefined {
  const counts = [...asked].map(([group, known]) => ({ group, count: keys.filter((key) => known.has(key)).length }));
  const [first, second] = counts.toSorted((a, b) => b.count - a.count);
  return first === undefined || first.count === (second?.count ?? 0) ? undefined : first.group;
}

function* unknownKeys(
  { name, entries }: IniSection,
  known: ReadonlySet<string>,
  asked: Asked,
  isFull: () => boolean,
): Iterable<ConfigProblem> {
  for (const [key, { line }] of entries) {
    if (known.has(key)) continue;
    const hint = isFull() ? '' : keyHint(key, known, asked);
    yield warning(line, name, key, foreignWord(name, key) ?? `unknown key, ignored${hint}`);
  }
}

/** The nearest key of that kind of section; else the sections whose key it is. */
function keyHint(key: string, known: ReadonlySet<string>, asked: Asked): string {
  const meant = closest(key, known);
  const others = [...asked].filter(([, keys]) => keys.has(key));
  // A word less, or more, is no slip in what is a key as it stands.
  const isSlip = meant !== undefined && (others.length === 0 || meant.split('_').length === key.split('_').length);
  if (isSlip) return ` (did you mean ${meant}?)`;
  const shown = others.map(([group]) => `[${group === PROCESS_PREFIX ? `${PROCESS_PREFIX}NAME` : group}]`);
  const last = shown.pop();
  return last === undefined ? '' : ` (it is a key of ${shown.length === 0 ? last : `${shown.join(', ')} and ${last}`})`;
}

/** What was meant for all processes holds for none then, and nothing else would tell. */
function* misspeltDefault({ name, line }: IniSection): Iterable<ConfigProblem> {
  if (name === DEFAULT_SECTION || !name.startsWith(PROCESS_PREFIX)) return;
  const process = name.slice(PROCESS_PREFIX.length);
  // A slip seldom takes the first letter: a program may well be called `fault`.
  if (!/^d/i.test(process) || closest(process, [DEFAULT_SECTION.slice(PROCESS_PREFIX.length)]) === undefined) return;
  yield warning(line, name, '', `holds for a process of that name only (did you mean [${DEFAULT_SECTION}]?)`);
}

/** Of values those that somebody asked for. */
function* unseen({ name, line, entries }: IniSection, known: ReadonlySet<string>): Iterable<ConfigProblem> {
  const told = (place: number, key: string, what: string, text: string): ConfigProblem[] => {
    const points = unseenIn(text);
    if (points === undefined) return [];
    // Not even that much of a password is told.
    const which = isSecretKey(key) ? 'what' : `${points}, which`;
    return [warning(place, name, key, `${what} ${which} is not seen`)];
  };
  yield* told(line, '', 'the name holds', name);
  for (const [key, entry] of entries) {
    yield* told(entry.line, key, 'the key holds', key);
    if (known.has(key)) yield* told(entry.line, key, 'holds', readValue(key, entry.raw).text);
  }
}

/** What to tell of a section, or of a key of it, that is none of ours; undefined where nothing is known of it. */
function foreignWord(section: string, key = ''): string | undefined {
  const words = Object.hasOwn(foreignKeys, section) ? foreignKeys[section] : undefined;
  return words !== undefined && Object.hasOwn(words, key) ? words[key] : undefined;
}

/**
 * What the configuration of the bash service's own successor says beside ours, and what has become of it here, in one line: by section,
 * then by key; `''` stands for the whole section, whose keys are not judged then. Such a file is to be used as it is.
 */
const foreignKeys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  self_recovery: { '': "not needed: systemd's WatchdogSec and Restart= see to it, as the unit has them" },
  predictive: { '': 'not supported: a process is restarted once it is in alarm, never on a forecast' },
  logging: { json_pretty: 'not needed: format = json writes an object a line, and jq shows it indented' },
};
