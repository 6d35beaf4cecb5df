// Checks if a process's command line is the one that it was executed with.

import { basename, isAbsolute, resolve } from 'node:path';
import { isInterpreter } from '../../core/program/interpreters.ts';
import { initialStackOf, splitNul } from '../proc/parse.ts';
import type { ProcessTable } from '../proc/table.ts';
import { USUAL_PATH } from '../spawn/minimal-environment.ts';

/** What is known of how a process was executed. */
interface ExecutedProgram {
  /** The whole of /proc/PID/cmdline and environ. */
  readonly argvBytes: Buffer;
  readonly environmentBytes: Buffer;
  /** The `comm` of the process. */
  readonly name: string;
  readonly executable: string;
  readonly cwd: string;
}

/**
 * Says why its command line is not, or may not be, what the process was executed with; undefined if it can be trusted. A title
 * that is written over the arguments (`nginx: master process …`, `redis-server *:6379`, node's process.title) is one string.
 * The rest of the arguments' space is filled with NULs, which read as empty arguments; if the title is just as long, nothing is
 * left over. The arguments are lost then. Source: setproctitle(3), and how Linux lays out a new program's stack.
 */
export function argvFault(table: ProcessTable, pid: number, program: ExecutedProgram): string | undefined {
  const { argvBytes, executable, name } = program;
  const end = argvBytes.indexOf(0);
  const first = argvBytes.toString('utf8', 0, end < 0 ? argvBytes.length : end);
  const count = countStrings(argvBytes);
  const most = executedCount(table, pid, program.environmentBytes);
  const isLone = end < 0 || isBlank(argvBytes.subarray(end));
  // The kernel has reported the number itself, except for one that it may have left free.
  const isCounted = most === undefined || (count <= most && count >= most - 1);
  if (!isLone) return isCounted ? undefined : CHANGED;
  // One empty argument may be left; more of them are what a title has not filled.
  if (!isCounted || count > 2) return TITLE;
  if (/\s/.test(first) && basename(first) !== basename(executable)) return TITLE;
  if (agrees(table, pid, first, program)) return undefined;
  // If it was executed with only a name, it has no arguments to lose, whatever that name is now.
  if (count === 1 && most === 1) return undefined;
  const isRenamed = cut(name) === cut(first) && cut(name) !== cut(basename(executable));
  return isInterpreter(executable) || isRenamed ? TITLE : UNTOLD;
}

const TITLE = 'it wrote a title over its command line';
const CHANGED = 'it changed its command line: it was executed with a different number of arguments';
const UNTOLD = 'it calls itself by a name other than its program, which may be a title over its arguments';

/** Counts the strings in the bytes of /proc/PID/cmdline or environ. Each ends with a NUL, the last one perhaps not. */
export function countStrings(bytes: Buffer): number {
  let ends = 0;
  // Not by indexOf, which takes many times as long if arguments are short.
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] === 0) ends += 1;
  return bytes.at(-1) === 0 ? ends : ends + 1;
}

/** True if all bytes are NUL, by comparing each with the next. A callback for each of two million bytes takes 60 ms. */
function isBlank(bytes: Buffer): boolean {
  return bytes[0] === 0 && bytes.subarray(1).equals(bytes.subarray(0, -1));
}

/** Cuts a text as `comm` shows it. */
function cut(text: string): string {
  return Buffer.from(text).subarray(0, 15).toString('latin1');
}

/** True if argv[0] is what a shell would call this executable, for a login with a dash before it. */
function agrees(
  table: ProcessTable,
  pid: number,
  first: string,
  { executable, cwd, environmentBytes }: ExecutedProgram,
): boolean {
  const called = first.replace(/^-/, '');
  if (called === executable) return true;
  if (!called.includes('/')) return called === basename(executable) || isInPath(table, pid, called, environmentBytes);
  // The directory may be another one by now. But any text with a slash in it would do as a title.
  return table.executes(pid, resolve(cwd, called)) || (!isInterpreter(executable) && basename(called) === basename(executable));
}

/** True for a name such as `vi`, which is vim.basic, or `httpd`, which is busybox. */
function isInPath(table: ProcessTable, pid: number, called: string, environmentBytes: Buffer): boolean {
  const path = splitNul(environmentBytes.toString()).find((variable) => variable.startsWith('PATH=')) ?? `PATH=${USUAL_PATH}`;
  const folders = path.slice('PATH='.length).split(':', MOST_FOLDERS).filter(isAbsolute);
  return called !== '' && folders.some((folder) => table.executes(pid, resolve(folder, called)));
}

const MOST_FOLDERS = 64;

/**
 * Returns with how many arguments the process was executed, or one more than that: the space between where the kernel put that
 * number and what follows it holds that many. Undefined if it cannot be determined: for 32-bit programs, if the environment was
 * overwritten, or if this kernel lays out the stack differently, which we check with our own process.
 */
function executedCount(table: ProcessTable, pid: number, environmentBytes: Buffer): number | undefined {
  const ours = mostArguments(table, process.pid, table.bytes(process.pid, 'environ') ?? Buffer.alloc(0));
  const own = process.execArgv.length + process.argv.length;
  if (ours === undefined || own > ours || own < ours - 1) return undefined;
  return mostArguments(table, pid, environmentBytes);
}

function mostArguments(table: ProcessTable, pid: number, environmentBytes: Buffer): number | undefined {
  const stack = initialStackOf(table.bytes(pid, 'stat')?.toString('latin1') ?? '', table.bytes(pid, 'auxv') ?? Buffer.alloc(0));
  const variables = splitNul(environmentBytes.toString('latin1'));
  if (stack === undefined || variables.some((variable) => !/^[^=]+=/.test(variable))) return undefined;
  const most = stack.words - variables.length - OTHER_WORDS;
  return most >= 1 ? most : undefined;
}

/** argc itself, and a null pointer each after the arguments and the environment. */
const OTHER_WORDS = 3;
