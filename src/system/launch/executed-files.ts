import { dirname, isAbsolute, join, resolve } from 'node:path';
import { lastPart } from '../../core/process/comm.ts';
import { interpreterOf, isBox, runsFolder } from '../../core/program/interpreters.ts';
import type { Interpreter } from '../../core/program/known-interpreters.ts';
import type { LaunchRecord } from '../../core/program/launch-record.ts';
import { hostFile, hostStat, linkedFile } from '../files/host-path.ts';
import { readShebang } from './script-file.ts';

/** What a recorded launch executes, as far as its command line tells. */
interface ExecutedFiles {
  /** Full paths: the executable; of an interpreter its script too; of a script what interprets it too. */
  readonly files: readonly string[];
  /** What makes it that program and no other: the executable, of an interpreter its script. Undefined where that cannot be told. */
  readonly program: string | undefined;
  /** Files and folders by which it is found what is executed, or in which an interpreter finds more of its own, a shell programs. */
  readonly places: readonly string[];
  /** Why this is not all, in one line; undefined where it is. */
  readonly unknown: string | undefined;
}

/** The files that `record` executes; what its environment makes them load is not among them. Source: execve(2). */
export function executedFiles(record: LaunchRecord): ExecutedFiles {
  const { executable, argv, cwd } = record;
  const [interpreter, argument] = readShebang(executable);
  if (interpreter !== undefined) return interpreted(record, executable, interpreter, argument, 1);
  const kind = kindOf(executable, argv[0] ?? '');
  // A name that says nothing may be an interpreter's all the same: what it is given is judged too.
  if (kind === undefined)
    return { files: [executable], program: executable, places: givenFiles(argv, cwd), unknown: undefined };
  if (kind === 'other') {
    const tool = busyBoxTool(record);
    return { files: [executable], program: tool, places: [], unknown: tool === undefined ? notTold(executable) : undefined };
  }
  const script = scriptOf(kind, argv, cwd);
  if (script === undefined) return { files: [executable], program: undefined, places: [], unknown: notTold(executable) };
  const { places, unknown } = furtherPlaces(kind, argv[0] ?? '', record);
  return { files: [executable, script], program: script, places: [...places, ...modulePlaces(kind, script)], unknown };
}

/** A script that was executed by its own path. The options in its first line are its own word. */
function interpreted(
  record: LaunchRecord,
  script: string,
  interpreter: string,
  argument: string | undefined,
  depth: number,
): ExecutedFiles {
  const searched = lastPart(interpreter) === 'env' ? searchedByEnv(argument, record) : undefined;
  const program = searched === undefined ? interpreter : searched.at(-1);
  const files = [script, interpreter];
  const kind = program === undefined ? 'other' : kindOf(program, program);
  if (program === undefined || kind === 'other' || depth > MOST_INTERPRETERS || [script, linkedFile(script)].some(runsFolder))
    return { files, program: script, places: [], unknown: notTold(interpreter) };
  const [next, nextArgument] = readShebang(program);
  if (next !== undefined) {
    const below = interpreted(record, program, next, nextArgument, depth + 1);
    return { ...below, files: [...new Set([...files, ...below.files])], program: script };
  }
  const called = searched === undefined ? interpreter : lastPart(program);
  const modules = kind === undefined ? [] : modulePlaces(kind, script);
  const own = kind === undefined ? NO_PLACES : furtherPlaces(kind, called, record);
  return {
    files: [...new Set([...files, program])],
    program: script,
    places: [...(searched ?? []), ...own.places, ...modules],
    unknown: own.unknown,
  };
}

/**
 * How a program that is called so is told what to execute; `other`: that cannot be told. The file that it is in the end counts as well as
 * its names: /usr/local/bin/app may be a link to a Python.
 */
function kindOf(executable: string, called: string): Interpreter | 'other' | undefined {
  const file = linkedFile(executable);
  const names = isBox(file) ? [executable] : [file, executable, called.replace(/^-/, '')];
  if (names.some(runsFolder)) return 'other';
  const kinds = new Set(names.map(interpreterOf).filter((kind) => kind !== undefined));
  const [kind] = kinds;
  return kinds.size > 1 || kind === 'launcher' ? 'other' : kind;
}

function notTold(executable: string): string {
  return `what ${executable} executes cannot be told`;
}

/** Of `#!/usr/bin/env NAME`: the folders of $PATH up to NAME, and the file that it is; [] where that is not what stands there. */
function searchedByEnv(argument: string | undefined, { environment }: LaunchRecord): readonly string[] {
  const words = (argument ?? '').split(/[ \t]+/);
  const [name = '', ...options] = words[0] === '-S' ? words.slice(1) : words;
  if (!/^[\w+][\w.+-]*$/.test(name) || options.some((word) => !word.startsWith('-'))) return [];
  const searched = searchPath(name, environment);
  return searched.at(-1)?.endsWith(`/${name}`) ? searched : [];
}

/** The script that an interpreter is given; undefined where that cannot be told. */
function scriptOf({ flags, values = {}, scriptOption }: Interpreter, argv: readonly string[], cwd: string): string | undefined {
  const words = argv.slice(1).values();
  for (const word of words) {
    if (word === scriptOption) return fileIn(cwd, words.next().value);
    const value = Object.hasOwn(values, word) ? values[word] : undefined;
    if (value !== undefined) {
      if (!value.test(words.next().value ?? '')) return undefined;
    } else if (/^[-+]/.test(word)) {
      if (flags?.test(word) !== true) return undefined;
    } else {
      return scriptOption === undefined ? fileIn(cwd, word) : undefined;
    }
  }
  return undefined;
}

function fileIn(cwd: string, path: string | undefined): string | undefined {
  const file = path === undefined || path === '' ? undefined : resolve(cwd, path);
  return file !== undefined && hostFile(file) === 'file' ? file : undefined;
}

/** Where an interpreter finds more than its script, by the name or path that it is called by. */
function furtherPlaces(kind: Interpreter, called: string, record: LaunchRecord): Pick<ExecutedFiles, 'places' | 'unknown'> {
  const library = libraryPlaces(kind, called, record);
  if (kind.runsPrograms !== true) return { places: library, unknown: undefined };
  // Without a PATH it has one of its own, in which there may be the directory.
  const folders = new Set(variable(record.environment, 'PATH')?.split(':'));
  const isTold = folders.size <= MOST_FOLDERS && [...folders].every(isAbsolute);
  if (!isTold) return { places: [], unknown: 'which programs its PATH finds cannot be told' };
  return { places: [...library, ...folders, record.cwd], unknown: undefined };
}

const NO_PLACES: Pick<ExecutedFiles, 'places' | 'unknown'> = { places: [], unknown: undefined };
const MOST_FOLDERS = 256;

/** The folders in which an interpreter looks for what its script loads; others must not be able to put anything there. */
function modulePlaces({ modules }: Interpreter, script: string): string[] {
  if (modules === undefined) return [];
  const folders = [dirname(script)];
  while (modules === 'above' && folders.at(-1) !== '/') folders.push(dirname(folders.at(-1) ?? '/'));
  return folders;
}

/**
 * The files among a program's first arguments, and what may be one and cannot be looked at; and what stands behind -I and -C, by which
 * compilers, interpreters and builders are given folders. Other folders and values are data for the most part: --datadir=/var/lib/mysql.
 */
function givenFiles(argv: readonly string[], cwd: string): string[] {
  const words = argv.slice(1, 1 + MOST_WORDS).filter((word) => word !== '');
  const files = words.filter((word) => !word.startsWith('-')).map((word) => resolve(cwd, word));
  const folders = words.flatMap((word, index) => {
    const [, value] = /^-[IC](.*)$/s.exec(word) ?? [];
    const folder = value === '' ? words[index + 1] : value;
    return folder === undefined ? [] : [resolve(cwd, folder)];
  });
  return [...files.filter((path) => hostFile(path) !== 'none'), ...folders.filter((path) => hostStat(path) !== 'none')];
}

const MOST_WORDS = 64;

/** A Python that is called by a venv's path, or found in its folder of $PATH, loads that venv. */
function libraryPlaces({ library }: Interpreter, called: string, { cwd, environment }: LaunchRecord): string[] {
  if (library === undefined) return [];
  const home = variable(environment, 'HOME');
  const own = called.includes('/') ? [resolve(cwd, called)] : searchPath(called, environment);
  return [...(library === 'home' ? [] : own), ...(home === undefined ? [] : [home])];
}

/**
 * The folders of $PATH up to the one that has, or may have, a file of that name, and that file at the end; all of them where none
 * has it.
 */
function searchPath(name: string, environment: readonly string[]): string[] {
  const places: string[] = [];
  for (const folder of variable(environment, 'PATH')?.split(':') ?? []) {
    const file = join(folder, name);
    // What cannot be looked at may be what is found there.
    if (isAbsolute(folder) && hostFile(file) !== 'none') return [...places, file];
    places.push(folder || '.');
  }
  return places;
}

/** BusyBox does by the name it is called by; only some of what it can be executes what it is given. Its name; else undefined. */
function busyBoxTool({ executable, argv: [called = ''] }: LaunchRecord): string | undefined {
  const name = lastPart(called);
  return isBox(executable) && name !== '' && interpreterOf(name) === undefined ? name : undefined;
}

function variable(environment: readonly string[], name: string): string | undefined {
  return environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** As the kernel (BINPRM_MAX_RECURSION) has it. */
const MOST_INTERPRETERS = 4;
