import { posix } from 'node:path';
import { givenPart, interpreterOf } from '../../core/program/interpreters.ts';
import { LAUNCHERS, type Launcher, runsElsewhere } from '../../core/program/launchers.ts';
import { shellWords } from '../../core/shell/shell-words.ts';
import type { ShellWord } from '../../core/shell/simple-commands.ts';
import { type CertainCommand, certainCommands } from './certain-commands.ts';

/** Something that a command line certainly needs. */
export interface NamedProgram {
  /**
   * `program`: a name that is looked up in PATH, or a full path; `script`: what an interpreter reads; `folder`: where `cd`
   * goes.
   */
  readonly kind: 'program' | 'script' | 'folder';
  readonly name: string;
  /** It may run as another user than the text does (sudo). */
  readonly mayBeAnothers?: true;
}

/**
 * What a shell's text certainly runs first, as far as the text alone shows. Not what follows a condition, a function's
 * definition, or a command that may create what follows; nor what may be missing because the text itself checks for its
 * failure. Each once, in the order of the text.
 */
export function namedPrograms(text: string): NamedProgram[] {
  const named = new Map<string, NamedProgram>();
  let folder: string | undefined;
  let pathIsKnown = true;
  for (const command of certainCommands(text)) {
    const read = readCommand(command.words, folder);
    if (named.size >= MOST_NAMED || mayBeMissing(command, read)) break;
    for (const one of read.named) {
      const key = `${one.kind} ${one.name}`;
      const isMore = named.get(key)?.mayBeAnothers ?? !named.has(key);
      if (isMore && (pathIsKnown || one.name.startsWith('/'))) named.set(key, one);
    }
    if (!read.goesOn) break;
    folder = read.folder ?? folder;
    pathIsKnown &&= !read.setsPath;
  }
  return [...named.values()];
}

const MOST_NAMED = 50;

/** Whether the text handles the case that what was read of a command is missing. */
function mayBeMissing({ tested, isLast, isSilent }: CertainCommand, { place }: Read): boolean {
  // The failure of the last list is that of the whole command, and `cd FOLDER && ./run &` checks nothing.
  if (tested === '||' || isLast) return tested === '||';
  return (tested === '&&' && place !== 'folder') || (isSilent && place !== undefined);
}

interface Read {
  readonly named: readonly NamedProgram[];
  /** What follows is run unchanged. */
  readonly goesOn: boolean;
  /** It is not a program but a file that the shell reads, or a folder that it changes to. */
  readonly place?: 'file' | 'folder';
  /** The folder that it has changed to. */
  readonly folder?: string;
  readonly setsPath?: boolean;
}

const NOTHING: Read = { named: [], goesOn: false };

function readCommand(all: readonly ShellWord[], folder: string | undefined): Read {
  const begin = all.findIndex((word) => word === undefined || !/^[A-Za-z_]\w*\+?=/.test(word));
  const set = begin < 0 ? all : all.slice(0, begin);
  const setsPath = set.some((word) => word?.startsWith('PATH=') || word?.startsWith('PATH+='));
  if (begin < 0) return { named: [], goesOn: true, setsPath };
  const words = all.slice(begin);
  const [first, second] = words;
  if (first === undefined) return NOTHING;
  if (first === 'cd') return readCd(words, folder);
  if (first === 'export' || first === 'declare' || first === 'typeset')
    return { named: [], goesOn: true, setsPath: words.some((word) => word === undefined || /^PATH\b/.test(word)) };
  if (first === '.' || first === 'source')
    return second === undefined ? NOTHING : { named: scriptAt(second, folder), goesOn: false, place: 'file' };
  if (first === 'exec') return { named: programs(afterOptions(words, EXEC), folder, setsPath), goesOn: false };
  if (first === 'command' && !second?.startsWith('-'))
    return { named: programs(words.slice(1), folder, setsPath), goesOn: false };
  if (shellWords.has(first)) return { named: [], goesOn: HARMLESS.has(first) };
  return { named: programs(words, folder, setsPath), goesOn: HARMLESS.has(first.slice(first.lastIndexOf('/') + 1)) };
}

function readCd(words: readonly ShellWord[], folder: string | undefined): Read {
  const [place, ...more] = afterOptions(words, CD);
  const whole = place === undefined || more.length > 0 ? undefined : pathOf(place, folder);
  return whole === undefined
    ? NOTHING
    : { named: [{ kind: 'folder', name: whole }], goesOn: true, folder: whole, place: 'folder' };
}

const EXEC = { flags: /^-[cl]+$/, valued: /^-[cl]*a$/ };
const CD = { flags: /^-/, valued: /^$/ };

/** The program of a command; if that runs another one, that program too. */
function programs(words: readonly ShellWord[], folder: string | undefined, setsPath: boolean, depth = 0): NamedProgram[] {
  const [first] = words;
  if (first === undefined || first === '' || depth > DEEPEST) return [];
  const whole = first.includes('/') ? pathOf(first, folder) : setsPath ? undefined : first;
  if (whole === undefined) return [];
  const name = whole.slice(whole.lastIndexOf('/') + 1);
  const own: NamedProgram = { kind: 'program', name: whole };
  const launcher = Object.hasOwn(LAUNCHERS, name) ? LAUNCHERS[name] : undefined;
  if (launcher?.options !== undefined) {
    const behind = afterOptions(words, launcher.options);
    const options = words.slice(1, words.length - behind.length);
    if (runsElsewhere(launcher, options)) return [own];
    const isGone = options.some((word) => word !== undefined && launcher.changesFolder?.test(word) === true);
    const inner = behind.slice(launcher.operands ?? 0);
    const run = launcher.takesVariables ? withoutVariables(inner) : inner;
    const found = programs(run, isGone ? undefined : folder, setsPath, depth + 1)
      .filter((one) => !launcher.hasOwnPath || one.name.startsWith('/'))
      .map((one): NamedProgram => (launcher.changesUser ? { ...one, mayBeAnothers: true } : one));
    return [own, ...found];
  }
  const kind = interpreterOf(whole);
  if (kind === undefined || kind === 'launcher') return [own];
  const literal = words.indexOf(undefined);
  const argv = (literal < 0 ? words : words.slice(0, literal)).filter((word) => word !== undefined);
  const part = givenPart(kind, argv);
  const script = part?.kind === 'file' ? argv[part.at] : undefined;
  return script === undefined ? [own] : [own, ...scriptAt(script, folder)];
}

const DEEPEST = 20;

function scriptAt(script: string, folder: string | undefined): NamedProgram[] {
  const whole = script.includes('/') || folder !== undefined ? pathOf(script, folder) : undefined;
  return whole === undefined ? [] : [{ kind: 'script', name: whole }];
}

function pathOf(path: string, folder: string | undefined): string | undefined {
  if (path.startsWith('/')) return path;
  return folder === undefined || path === '' || path === '-' ? undefined : posix.join(folder, path);
}

/** What follows the first word and its options; [] if one of them is not known. */
function afterOptions(words: readonly ShellWord[], { flags, valued }: NonNullable<Launcher['options']>): readonly ShellWord[] {
  let at = 1;
  for (let word = words[at]; word?.startsWith('-'); word = words[at]) {
    at += 1;
    if (word === '--') break;
    if (valued.test(word)) at += 1;
    else if (!flags.test(word)) return [];
  }
  return words.slice(at);
}

function withoutVariables(words: readonly ShellWord[]): readonly ShellWord[] {
  const begin = words.findIndex((word) => word === undefined || !word.includes('='));
  // It is not worth tracking which PATH it has then.
  return begin < 0 || words.slice(0, begin).some((word) => word?.startsWith('PATH=')) ? [] : words.slice(begin);
}

/** After these, a command finds the same things as before them. */
const HARMLESS: ReadonlySet<string> = new Set(
  ': true echo printf kill umask ulimit pwd wait sleep pkill killall logger date sync'.split(' '),
);
