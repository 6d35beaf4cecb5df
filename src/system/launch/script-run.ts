import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { hostPath } from '../files/host-path.ts';
import { lastPart, scriptWords } from '../proc/called-names.ts';
import type { ProcessTable } from '../proc/table.ts';
import { readShebang } from './script-file.ts';

/** A process that may be an interpreter. */
export interface Interpreting {
  readonly pid: number;
  readonly argv?: readonly string[];
}

/**
 * The full path of the script that a process runs, by whatever interpreter: the first word of its arguments that is an executable file
 * whose `#!` line leads to argv[0] or to the process's executable. Undefined if there is none. Only files whose name `mayBe` accepts
 * are opened, unless one stands before them. Source: execve(2), env(1).
 */
export function scriptRun(
  table: ProcessTable,
  { pid, argv = [] }: Interpreting,
  mayBe: (name: string) => boolean,
): string | undefined {
  const words = scriptWords(argv);
  if (!words.some((word) => mayBe(lastPart(word)))) return undefined;
  const cwd = table.read(pid, ['cwd'])?.cwd;
  if (cwd === undefined) return undefined;
  return words
    .map((word) => resolve(cwd, word))
    .find((file) => isExecutable(file) && leadsTo(table, readShebang(file), pid, argv[0]));
}

function isExecutable(path: string): boolean {
  try {
    const stat = statSync(hostPath(path), { throwIfNoEntry: false });
    return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

function leadsTo(
  table: ProcessTable,
  [interpreter, argument = '']: readonly string[],
  pid: number,
  argv0: string | undefined,
): boolean {
  if (interpreter === undefined) return false;
  if (lastPart(interpreter) !== 'env') return interpreter === argv0 || table.executes(pid, interpreter);
  const program = programOfEnv(argument);
  if (program === undefined) return false;
  // env(1) looks in PATH, and calls the program as it is written.
  return program === argv0 || (program.startsWith('/') && table.executes(pid, program));
}

/** `python3` of `python3`, and of `-S -i A=b python3 -u`: what `#!/usr/bin/env` runs. */
function programOfEnv(argument: string): string | undefined {
  const split = /^(?:-\w*S[ \t]*|--split-string[= ])(.*)$/.exec(argument)?.[1];
  const words = split === undefined ? [argument] : split.split(/[ \t]+/);
  return words.find((word) => word !== '' && !word.startsWith('-') && !/^[A-Za-z_]\w*=/.test(word));
}
