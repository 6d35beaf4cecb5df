import { posix } from 'node:path';
import { givenPart, interpreterOf } from '../../core/interpreters.ts';
import { type ShellWord, simpleCommands } from './simple-commands.ts';

/** What a command line certainly needs to be there. */
export interface NamedProgram {
  /** `program`: a name that is looked for in PATH, or a full path; `script`: what an interpreter reads; `folder`: where `cd` goes. */
  readonly kind: 'program' | 'script' | 'folder';
  readonly name: string;
}

/**
 * What a shell's text certainly runs first, as far as only the text has to be read: not what stands behind a condition, a function's
 * definition, or a command that may make what follows. Each once, in the order of the text.
 */
export function namedPrograms(text: string): NamedProgram[] {
  const named = new Map<string, NamedProgram>();
  let folder: string | undefined;
  let pathIsKnown = true;
  for (const { words, end } of simpleCommands(text)) {
    // Whoever says what to do instead knows that it may be missing.
    if (end === '||') break;
    const read = readCommand(words, folder);
    for (const one of read.named) if (pathIsKnown || one.name.startsWith('/')) named.set(`${one.kind} ${one.name}`, one);
    if (!read.goesOn || end === 'stop') break;
    folder = read.folder ?? folder;
    pathIsKnown &&= !read.setsPath;
  }
  return [...named.values()];
}

interface Read {
  readonly named: readonly NamedProgram[];
  /** What follows is run as it stands. */
  readonly goesOn: boolean;
  /** Where it has gone. */
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
    return second === undefined ? NOTHING : { named: scriptAt(second, folder), goesOn: false };
  if (first === 'exec') return { named: programs(afterOptions(words, { '-a': 1 }), folder, setsPath), goesOn: false };
  if (first === 'command' && !second?.startsWith('-'))
    return { named: programs(words.slice(1), folder, setsPath), goesOn: false };
  if (SHELL_WORDS.has(first)) return { named: [], goesOn: HARMLESS.has(first) };
  return { named: programs(words, folder, setsPath), goesOn: HARMLESS.has(first.slice(first.lastIndexOf('/') + 1)) };
}

function readCd(words: readonly ShellWord[], folder: string | undefined): Read {
  const [place, ...more] = afterOptions(words, {});
  const whole = place === undefined || more.length > 0 ? undefined : pathOf(place, folder);
  return whole === undefined ? NOTHING : { named: [{ kind: 'folder', name: whole }], goesOn: true, folder: whole };
}

/** The program of a command, and of what is told to run another one that too. */
function programs(words: readonly ShellWord[], folder: string | undefined, setsPath: boolean): NamedProgram[] {
  const [first] = words;
  if (first === undefined || first === '') return [];
  const whole = first.includes('/') ? pathOf(first, folder) : setsPath ? undefined : first;
  if (whole === undefined) return [];
  const name = whole.slice(whole.lastIndexOf('/') + 1);
  const own: NamedProgram = { kind: 'program', name: whole };
  const options = LAUNCHERS.get(name);
  if (options !== undefined) {
    const rest = afterOptions(words, options.valued);
    const inner = options.skips(rest);
    // sudo has a PATH of its own.
    const found = programs(inner, folder, setsPath);
    return [own, ...(name === 'sudo' ? found.filter((one) => one.name.startsWith('/')) : found)];
  }
  const kind = interpreterOf(whole);
  if (kind === undefined || kind === 'launcher') return [own];
  const literal = words.indexOf(undefined);
  const argv = (literal < 0 ? words : words.slice(0, literal)).filter((word) => word !== undefined);
  const part = givenPart(kind, argv);
  const script = part?.kind === 'file' ? argv[part.at] : undefined;
  return script === undefined ? [own] : [own, ...scriptAt(script, folder)];
}

function scriptAt(script: string, folder: string | undefined): NamedProgram[] {
  const whole = script.includes('/') || folder !== undefined ? pathOf(script, folder) : undefined;
  return whole === undefined ? [] : [{ kind: 'script', name: whole }];
}

function pathOf(path: string, folder: string | undefined): string | undefined {
  if (path.startsWith('/')) return path;
  return folder === undefined || path === '' || path === '-' ? undefined : posix.join(folder, path);
}

/** What follows the first word and its options; `valued`: how many words belong to an option. [] if one of them is not known. */
function afterOptions(words: readonly ShellWord[], valued: Readonly<Record<string, number>>): readonly ShellWord[] {
  let at = 1;
  for (let word = words[at]; word?.startsWith('-'); word = words[at]) {
    at += 1;
    if (word === '--') break;
    if (Object.hasOwn(valued, word)) at += valued[word] ?? 0;
  }
  return words.slice(at);
}

interface Launcher {
  readonly valued: Readonly<Record<string, number>>;
  /** Without what stands between its options and the program. */
  skips(words: readonly ShellWord[]): readonly ShellWord[];
}

const same = (words: readonly ShellWord[]): readonly ShellWord[] => words;
const withoutVariables = (words: readonly ShellWord[]): readonly ShellWord[] => {
  const begin = words.findIndex((word) => word === undefined || !word.includes('='));
  // Which PATH it then has is not worth to be followed.
  return begin < 0 || words.slice(0, begin).some((word) => word?.startsWith('PATH=')) ? [] : words.slice(begin);
};

/** Those whose options are few: nohup(1), setsid(1), env(1), nice(1), ionice(1), timeout(1), stdbuf(1), sudo(8). */
const LAUNCHERS: ReadonlyMap<string, Launcher> = new Map<string, Launcher>([
  ['nohup', { valued: {}, skips: same }],
  ['setsid', { valued: {}, skips: same }],
  ['env', { valued: { '-u': 1 }, skips: withoutVariables }],
  ['nice', { valued: { '-n': 1 }, skips: same }],
  ['ionice', { valued: { '-c': 1, '-n': 1 }, skips: same }],
  ['timeout', { valued: { '-k': 1, '-s': 1 }, skips: (words) => words.slice(1) }],
  ['stdbuf', { valued: { '-i': 1, '-o': 1, '-e': 1 }, skips: same }],
  ['sudo', { valued: { '-u': 1, '-g': 1 }, skips: withoutVariables }],
]);

/** What is no program to a shell, or to one of them (bash(1)). */
const SHELL_WORDS: ReadonlySet<string> = new Set(
  [
    '. : alias bg bind break builtin caller cd command compgen complete compopt continue coproc declare dirs disown echo enable eval',
    'exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readarray',
    'readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait [ [[ ]] ! { }',
    'case do done elif else esac fi for function if in select then time until while',
  ].flatMap((words) => words.split(' ')),
);

/** Behind these a command finds what it found before them. */
const HARMLESS: ReadonlySet<string> = new Set(
  ': true echo printf kill umask ulimit pwd wait sleep pkill killall logger date sync'.split(' '),
);
