// Which files a recorded launch executes.

import { dirname, isAbsolute, join, resolve } from 'node:path';
import { lastPart } from '../../core/process/comm.ts';
import { interpreterOf, isBox, runsFolder } from '../../core/program/interpreters.ts';
import type { Interpreter } from '../../core/program/known-interpreters.ts';
import type { LaunchRecord } from '../../core/program/launch-record.ts';
import { hostFile, hostStat, linkedFile } from '../files/host-path.ts';
import { readShebang } from './script-file.ts';

/** What a recorded launch executes, as far as its command line shows. */
interface ExecutedFiles {
  /** Full paths: the executable; for an interpreter its script too; for a script its interpreter too. */
  readonly files: readonly string[];
  /**
   * What distinguishes the program from all others: the executable, or for an interpreter its script. Undefined if it cannot be
   * determined.
   */
  readonly program: string | undefined;
  /**
   * Files and folders by which the executed files are found, or in which an interpreter finds more of its own files, or a shell
   * its programs.
   */
  readonly places: readonly string[];
  /** One line why this is not everything; undefined if it is. */
  readonly unknown: string | undefined;
}

/** Returns the files that `record` executes, without those that its environment makes them load. Source: execve(2). */
export function executedFiles(record: LaunchRecord): ExecutedFiles {
  const { executable, argv, cwd } = record;
  const [interpreter, argument] = readShebang(executable);
  if (interpreter !== undefined) return interpreted(record, executable, interpreter, argument, 1);
  const kind = kindOf(executable, argv[0] ?? '');
  // An unknown name may still be an interpreter: its arguments are judged too.
  if (kind === undefined)
    return { files: [executable], program: executable, places: givenFiles(argv, cwd), unknown: undefined };
  if (kind === 'other') {
    const tool = busyBoxTool(record);
    return {
      files: [executable],
      program: tool,
      places: [],
      unknown: tool === undefined ? undetermined(executable) : undefined,
    };
  }
  const script = scriptOf(kind, argv, cwd);
  if (script === undefined) return { files: [executable], program: undefined, places: [], unknown: undetermined(executable) };
  const { places, unknown } = furtherPlaces(kind, argv[0] ?? '', record);
  return { files: [executable, script], program: script, places: [...places, ...modulePlaces(kind, script)], unknown };
}

/** For a script that was executed by its own path. The options in its first line are trusted. */
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
    return { files, program: script, places: [], unknown: undetermined(interpreter) };
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
 * Returns how a program with this name learns what to execute. `other`: that cannot be determined. The file that it resolves
 * to counts as well as its names: /usr/local/bin/app may be a link to a Python.
 */
function kindOf(executable: string, called: string): Interpreter | 'other' | undefined {
  const file = linkedFile(executable);
  const names = isBox(file) ? [executable] : [file, executable, called.replace(/^-/, '')];
  if (names.some(runsFolder)) return 'other';
  const kinds = new Set(names.map(interpreterOf).filter((kind) => kind !== undefined));
  const [kind] = kinds;
  return kinds.size > 1 || kind === 'launcher' ? 'other' : kind;
}

function undetermined(executable: string): string {
  return `cannot determine what ${executable} executes`;
}

/** For `#!/usr/bin/env NAME`, returns the folders of $PATH up to NAME, and its file; [] if the line is something else. */
function searchedByEnv(argument: string | undefined, { environment }: LaunchRecord): readonly string[] {
  const words = (argument ?? '').split(/[ \t]+/);
  const [name = '', ...options] = words[0] === '-S' ? words.slice(1) : words;
  if (!/^[\w+][\w.+-]*$/.test(name) || options.some((word) => !word.startsWith('-'))) return [];
  const searched = searchPath(name, environment);
  return searched.at(-1)?.endsWith(`/${name}`) ? searched : [];
}

/** Returns the script that an interpreter is given; undefined if it cannot be determined. */
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

/** Returns where an interpreter finds more than its script, by the name or path that it is called by. */
function furtherPlaces(kind: Interpreter, called: string, record: LaunchRecord): Pick<ExecutedFiles, 'places' | 'unknown'> {
  const library = libraryPlaces(kind, called, record);
  if (kind.runsPrograms !== true) return { places: library, unknown: undefined };
  // Without a PATH it uses one of its own, which may contain the current directory.
  const folders = new Set(variable(record.environment, 'PATH')?.split(':'));
  const isKnown = folders.size <= MOST_FOLDERS && [...folders].every(isAbsolute);
  if (!isKnown) return { places: [], unknown: 'cannot determine which programs its PATH finds' };
  return { places: [...library, ...folders, record.cwd], unknown: undefined };
}

const NO_PLACES: Pick<ExecutedFiles, 'places' | 'unknown'> = { places: [], unknown: undefined };
const MOST_FOLDERS = 256;

/**
 * Returns the folders in which an interpreter looks for what its script loads. Other users must not be able to put anything
 * there.
 */
function modulePlaces({ modules }: Interpreter, script: string): string[] {
  if (modules === undefined) return [];
  const folders = [dirname(script)];
  while (modules === 'above' && folders.at(-1) !== '/') folders.push(dirname(folders.at(-1) ?? '/'));
  return folders;
}

/**
 * Returns the files among a program's first arguments, including those that may be files but cannot be checked, and the values
 * of -I and -C, by which compilers, interpreters and build tools get folders. Other folders and values are mostly data:
 * --datadir=/var/lib/mysql.
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
 * Returns the folders of $PATH up to the one that has, or may have, a file of that name, and that file at the end; all folders
 * if none has it.
 */
function searchPath(name: string, environment: readonly string[]): string[] {
  const places: string[] = [];
  for (const folder of variable(environment, 'PATH')?.split(':') ?? []) {
    const file = join(folder, name);
    // A file that cannot be checked may be the one that is found.
    if (isAbsolute(folder) && hostFile(file) !== 'none') return [...places, file];
    places.push(folder || '.');
  }
  return places;
}

/**
 * Returns the name by which BusyBox is called, if it is BusyBox, else undefined. BusyBox acts by that name, and only some of
 * its tools execute what they are given.
 */
function busyBoxTool({ executable, argv: [called = ''] }: LaunchRecord): string | undefined {
  const name = lastPart(called);
  return isBox(executable) && name !== '' && interpreterOf(name) === undefined ? name : undefined;
}

function variable(environment: readonly string[], name: string): string | undefined {
  return environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** As many as the kernel allows (BINPRM_MAX_RECURSION). */
const MOST_INTERPRETERS = 4;
