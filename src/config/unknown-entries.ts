// Warnings about unknown sections and keys, and about invisible characters.
import type { ConfigProblem } from '../core/errors.ts';
import { invisibleIn } from '../core/text/printable.ts';
import { closest } from './did-you-mean.ts';
import { type Family, families, groupOf, groupWords, isDefault, memberOf, sectionOf } from './families.ts';
import { readValue, type ValueKind } from './ini-value.ts';
import type { IniSection } from './read-ini.ts';

/** The keys that somebody asked for, each with the kind of its value, by group (groupOf). */
type Asked = ReadonlyMap<string, ReadonlyMap<string, ValueKind>>;

/**
 * Warnings, section by section, about entries that nobody asked for, with what was most likely meant, and about names, keys and
 * values that are not what they look like. `isFull`: no more warnings are listed, so none is worked out.
 */
export function* unknownEntries(sections: Iterable<IniSection>, asked: Asked, isFull: () => boolean): Iterable<ConfigProblem> {
  for (const section of sections) {
    const known = asked.get(groupOf(section.name));
    if (known === undefined) yield unknownSection(section, asked, isFull);
    else yield* unknownKeys(section, known, asked, isFull);
    yield* misspelledDefault(section);
    yield* invisibleCharacters(section, known ?? new Map());
  }
}

function warning(line: number, section: string, key: string, problem: string): ConfigProblem {
  return { severity: 'warning', line, section, key, problem };
}

function unknownSection(section: IniSection, asked: Asked, isFull: () => boolean): ConfigProblem {
  const { name, line } = section;
  // Nobody reads the two hundredth hint, and working out hints is what takes time here.
  const hint = (): string => (isFull() ? '' : sectionHint(section, asked));
  return warning(line, name, '', foreignWarning(name) ?? `unknown section, ignored${hint()}`);
}

function sectionHint({ name, entries }: IniSection, asked: Asked): string {
  const known = [...asked.keys()].filter((group) => !group.endsWith('.'));
  const group = groupOfKeys([...entries.keys()], asked);
  const meant = group === undefined || group.endsWith('.') ? meantSection(name, known) : `[${group}]`;
  // A section of a family that nobody asks for is spelt as it should be.
  if (meant === `[${name}]`) return '';
  return meant === undefined ? ` (a process's section is called [process.NAME])` : ` (did you mean ${meant}?)`;
}

/**
 * The section that a header most likely means, in the form in which it must be written: one of `known`, or that of a process.
 * Undefined if this is not known: a section of a family without a name, a name too long to show, or one with invisible characters.
 */
function meantSection(header: string, known: Iterable<string>): string | undefined {
  const [, word = '', rest = ''] = /^([a-z]+)[\s.:/\\_-]+(.*)$/is.exec(header) ?? [];
  const family = FAMILY_WORDS[closest(word, Object.keys(FAMILY_WORDS)) ?? ''];
  const near = family === undefined ? closest(header, [...known, 'default']) : undefined;
  if (near !== undefined) return `[${near === 'default' ? sectionOf('process', undefined) : near}]`;
  const name = family === undefined ? header : rest.trim();
  if (name === '' || closest(name, families) !== undefined) return undefined;
  if (name.length > LONGEST || invisibleIn(name) !== undefined || /\p{Cc}/u.test(name)) return undefined;
  return `[${sectionOf(family ?? 'process', name)}]`;
}

/** Words with which a header of a family may begin. */
const FAMILY_WORDS: Readonly<Record<string, Family>> = { process: 'process', service: 'process', check: 'check' };

/** A longer name would not be shown whole. */
const LONGEST = 80;

/** The group that has the most of these keys; undefined if there is none, or if several have equally many. */
function groupOfKeys(keys: readonly string[], asked: Asked): string | undefined {
  const counts = [...asked].map(([group, known]) => ({ group, count: keys.filter((key) => known.has(key)).length }));
  const [first, second] = counts.toSorted((a, b) => b.count - a.count);
  return first === undefined || first.count === (second?.count ?? 0) ? undefined : first.group;
}

function* unknownKeys(
  { name, entries }: IniSection,
  known: ReadonlyMap<string, ValueKind>,
  asked: Asked,
  isFull: () => boolean,
): Iterable<ConfigProblem> {
  for (const [key, { line }] of entries) {
    if (known.has(key)) continue;
    const hint = isFull() ? '' : keyHint(key, known, asked);
    yield warning(line, name, key, foreignWarning(name, key) ?? `unknown key, ignored${hint}`);
  }
}

/** The nearest key of that kind of section; otherwise the sections that have this key, or the nearest key of theirs. */
function keyHint(key: string, known: ReadonlyMap<string, ValueKind>, asked: Asked): string {
  const meant = closest(key, known.keys());
  const sectionsWith = (known: string): string[] =>
    [...asked].flatMap(([group, keys]) => (keys.has(known) ? [groupWords(group)] : []));
  const others = sectionsWith(key);
  // A key that exists elsewhere and differs by a whole word is not a typing error, unless the nearest one has all its words.
  const isSlip = meant !== undefined && (others.length === 0 || isLike(key.split('_'), meant.split('_')));
  if (isSlip) return ` (did you mean ${meant}?)`;
  if (others.length > 0) return ` (it is a key of ${listed(others)})`;
  const near = closest(key, new Set([...asked.values()].flatMap((keys) => [...keys.keys()])));
  return near === undefined ? '' : ` (did you mean ${near}, a key of ${listed(sectionsWith(near))}?)`;
}

function isLike(words: readonly string[], meant: readonly string[]): boolean {
  return words.length === meant.length || words.every((word) => meant.includes(word));
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Settings that were meant for all sections of a family apply to none then, and nothing else would show it. */
function* misspelledDefault({ name, line }: IniSection): Iterable<ConfigProblem> {
  const member = memberOf(name);
  if (member === undefined || isDefault(name)) return;
  // A typing error seldom affects the first letter: a program may well be called `fault`.
  if (!/^d/i.test(member.name) || closest(member.name, ['default']) === undefined) return;
  const meant = sectionOf(member.family, undefined);
  yield warning(line, name, '', `holds for a ${member.family} of that name only (did you mean [${meant}]?)`);
}

/** Warnings about invisible characters: in names, in keys, and in the values that somebody asked for. */
function* invisibleCharacters(
  { name, line, entries }: IniSection,
  known: ReadonlyMap<string, ValueKind>,
): Iterable<ConfigProblem> {
  const warnings = (place: number, key: string, what: string, text: string): ConfigProblem[] => {
    const points = invisibleIn(text);
    if (points === undefined) return [];
    // Not even this much of a password is shown.
    const which = known.get(key) === 'secret' ? 'an invisible character' : `${points}, which is invisible`;
    return [warning(place, name, key, `${what} ${which}`)];
  };
  yield* warnings(line, '', 'the name holds', name);
  for (const [key, entry] of entries) {
    yield* warnings(entry.line, key, 'the key holds', key);
    const kind = known.get(key);
    if (kind !== undefined) yield* warnings(entry.line, key, 'holds', readValue(kind, entry.raw).text);
  }
}

/** The warning about a section or key that belongs to another program; undefined if it is not known. */
function foreignWarning(section: string, key = ''): string | undefined {
  const words = Object.hasOwn(foreignKeys, section) ? foreignKeys[section] : undefined;
  return words !== undefined && Object.hasOwn(words, key) ? words[key] : undefined;
}

/**
 * What the configuration of the bash service's own successor contains that ours does not, with one line on what replaces it: by
 * section, then by key; `''` stands for the whole section, whose keys are not judged then. Such a file can be used unchanged.
 */
const foreignKeys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  self_recovery: { '': 'not needed: systemd does this by WatchdogSec= and Restart= of the unit' },
  predictive: { '': 'not supported: a process is restarted when it is in alarm, not on a forecast' },
  logging: { json_pretty: 'not needed: format = json writes one object per line, and jq can indent it' },
};
