// Which program a process or a command line really is: interpreters, shells, launchers.
import { lastPart } from '../process/comm.ts';
import { BOXES, FOLDER_RUNNERS, INTERPRETERS, type Interpreter, LOADER } from './known-interpreters.ts';
import { LAUNCHERS } from './launchers.ts';

/**
 * True for a program that executes a file named in its command line: an interpreter (python3.11, perl, java) or a launcher
 * (env, sudo, nohup). `path` is a name or a path; the program is recognised by its last part without version and variant.
 */
export function isInterpreter(path: string): boolean {
  return interpreterOf(path) !== undefined;
}

/** How that program learns what to execute; `launcher`: from another program's command line; undefined: it is neither. */
export function interpreterOf(path: string): Interpreter | 'launcher' | undefined {
  const names = namesOf(path);
  const known = names.find((one) => Object.hasOwn(INTERPRETERS, one));
  if (known !== undefined) return INTERPRETERS[known];
  return names.some(launchesProcess) || LOADER.test(names[0]) ? 'launcher' : undefined;
}

function launchesProcess(name: string): boolean {
  return Object.hasOwn(LAUNCHERS, name) && LAUNCHERS[name]?.onlyInText !== true;
}

/**
 * True for a program that executes the content of a folder, its working directory or one that it is given: make, rake,
 * gunicorn. `path` as in isInterpreter.
 */
export function runsFolder(path: string): boolean {
  return namesOf(path).some((one) => FOLDER_RUNNERS.has(one));
}

/** The last part, and the same without version and variant. */
function namesOf(path: string): readonly [name: string, bare: string, stem: string] {
  const name = lastPart(path);
  const bare = name.replace(/[-_.]?\d[\d.]*[a-z]?$/, '');
  // The form in which distributions may name it: perl5.36-x86_64-linux-gnu, python3.11-dbg, bash-static.
  return [name, bare, name.replace(/[-_.]?(?:\d|static|dbg|debug).*$/, '')];
}

/** True for a shell. `path` as in isInterpreter; for BusyBox, programName says which program it is. */
export function isShell(path: string): boolean {
  const kind = interpreterOf(path);
  return kind !== undefined && kind !== 'launcher' && kind.runsPrograms === true;
}

/**
 * Which program a process is: the last part of its executable's name or path. BusyBox and Toybox are many programs in one file:
 * the result is the name by which they were called (`argv`), or the one in the first argument; '' if there is none.
 */
export function programName(path: string, argv: readonly string[]): string {
  const name = lastPart(path);
  if (!isBox(name)) return name;
  // A login shell's name begins with a dash.
  const called = lastPart(argv[0] ?? '').replace(/^-/, '');
  return isBox(called) ? lastPart(argv[1] ?? '') : called;
}

/** True for BusyBox and Toybox. `path`: a name or a path. */
export function isBox(path: string): boolean {
  return BOXES.has(lastPart(path));
}

/** What an interpreter executes, and its index in the command line; a `text` may also be joined to its option. */
interface GivenPart {
  readonly kind: 'file' | 'text' | 'module';
  readonly at: number;
}

/** What `argv` tells an interpreter to execute, or a program that is not a known one (`{}`); undefined if nothing. */
export function givenPart({ flags, valued, text, module }: Interpreter, argv: readonly string[]): GivenPart | undefined {
  let kind: GivenPart['kind'] = 'file';
  let isOver = false;
  for (let at = 1; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (isOver || !/^[-+]/.test(word)) {
      if (isOver || flags?.test(word) !== true) return { kind, at };
    } else if (word === '-') return { kind: 'text', at };
    else if (word === '--') isOver = true;
    else {
      if (text?.test(word)) kind = 'text';
      else if (module?.test(word)) kind = 'module';
      if (valued?.test(word)) at += 1;
    }
  }
  return undefined;
}
