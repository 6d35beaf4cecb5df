// Finds the script that a process runs.

import { isAbsolute, join, resolve } from 'node:path';
import process from 'node:process';
import { lastPart } from '../../core/process/comm.ts';
import { givenPart, interpreterOf, isShell, programName } from '../../core/program/interpreters.ts';
import type { Interpreter } from '../../core/program/known-interpreters.ts';
import { isExecutableForSome } from '../files/executable.ts';
import { MOST_SCRIPT_WORDS } from '../proc/called-names.ts';
import type { ProcessTable } from '../proc/table.ts';
import { readShebang } from './script-file.ts';

/** A process that may be an interpreter. */
interface Interpreting {
  readonly pid: number;
  readonly argv?: readonly string[];
  readonly executable?: string;
}

/**
 * Returns the full path of the script that a process runs, by any interpreter: the argument that the interpreter is to execute,
 * if it is an executable file whose `#!` line leads to argv[0] or to the process's executable, or from one shell to another.
 * Later arguments are data. Before it are options with their values, or what its own `#!` line has there. Undefined if there is
 * none. Only files whose name `mayBe` accepts are opened. Source: execve(2), env(1).
 */
export function scriptRun(table: ProcessTable, of: Interpreting, mayBe: (name: string) => boolean): string | undefined {
  const { pid, argv = [] } = of;
  const words = argv.slice(1, 1 + MOST_SCRIPT_WORDS);
  const places = words.flatMap((word, index) => (word !== '' && mayBe(lastPart(word)) ? [index + 1] : []));
  const cwd = places.length === 0 ? undefined : table.read(pid, ['cwd'])?.cwd;
  if (cwd === undefined) return undefined;
  const given = givenPart(interpreting(of), argv);
  for (const at of places) {
    const file = resolve(cwd, argv[at] ?? '');
    const line = isExecutableForSome(file) ? ranBy(readShebang(file)) : undefined;
    if (line === undefined || !leadsTo(table, line, of)) continue;
    const isOwnLine = at === 1 + line.words.length && line.words.every((word, index) => argv[index + 1] === word);
    if (isOwnLine || (given?.kind === 'file' && given.at === at)) return file;
  }
  return undefined;
}

/** Identifies the interpreter by its file, else by the name it is called with: `sh` of BusyBox. */
function interpreting({ argv: [argv0 = ''] = [], executable = '' }: Interpreting): Interpreter {
  const kinds = [interpreterOf(executable), interpreterOf(argv0)];
  return (kinds.find((kind) => kind !== undefined && kind !== 'launcher') as Interpreter | undefined) ?? {};
}

/** What a script's first line runs. */
interface ScriptLine {
  readonly program: string;
  /** env(1) looks it up in PATH. */
  readonly isSearched: boolean;
  /** The arguments of the program before the script. */
  readonly words: readonly string[];
}

/** Returns `python3` and `-u` for `#!/usr/bin/env -S -i A=b python3 -u`. */
function ranBy([interpreter, argument]: readonly string[]): ScriptLine | undefined {
  if (interpreter === undefined) return undefined;
  if (lastPart(interpreter) !== 'env')
    return { program: interpreter, isSearched: false, words: argument === undefined ? [] : [argument] };
  const split = /^(?:-\w*S[ \t]*|--split-string[= ])(.*)$/.exec(argument ?? '')?.[1];
  const all = split === undefined ? [argument ?? ''] : split.split(/[ \t]+/);
  const at = all.findIndex((word) => word !== '' && !word.startsWith('-') && !/^[A-Za-z_]\w*=/.test(word));
  const program = all[at];
  return program === undefined ? undefined : { program, isSearched: !program.includes('/'), words: all.slice(at + 1) };
}

function leadsTo(table: ProcessTable, line: ScriptLine, of: Interpreting): boolean {
  const { argv = [], executable = '' } = of;
  const [called = ''] = argv;
  if (line.program === called || (line.isSearched && line.program === lastPart(called))) return true;
  // `bash app.sh` for a script with `#!/bin/sh`.
  return executesIt(table, line, of) || (isShell(line.program) && isShell(programName(executable, argv)));
}

/** True if the process's executable is what the first line of `script` asks for, whatever the process calls itself. */
export function isInterpretedBy(table: ProcessTable, script: string, of: Interpreting): boolean {
  const line = ranBy(readShebang(script));
  return line !== undefined && executesIt(table, line, of);
}

function executesIt(table: ProcessTable, { program, isSearched }: ScriptLine, { pid, executable = '' }: Interpreting): boolean {
  if (!isSearched) return program.startsWith('/') && table.executes(pid, program);
  // It is not known which file env(1) found: what was in PATH may itself have executed another one, as pyenv's `python3` does.
  if (withoutVersion(lastPart(executable)).includes(program)) return true;
  return foldersOfPath().some((folder) => table.executes(pid, join(folder, program)));
}

/** Returns `python3.11`, `python3` and `python` for the first of them. */
function withoutVersion(name: string): string[] {
  const names = [name];
  for (let rest = name; ; names.push(rest)) {
    const shorter = rest.replace(/[-_.]?\d+$/, '');
    if (shorter === rest || shorter === '') return names;
    rest = shorter;
  }
}

function foldersOfPath(): string[] {
  return (process.env.PATH ?? '').split(':').filter(isAbsolute);
}
