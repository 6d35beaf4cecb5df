import { closeSync, fchmodSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import { shellWords } from '../../core/shell/shell-words.ts';
import { singleQuoted } from '../../core/text/typed-command.ts';
import { loadLibc } from '../native/libc.ts';
import { shellPath } from './shell.ts';

/**
 * Text that a shell runs and nobody else sees: it is passed by a descriptor, not by arguments, which everybody may read and
 * `pkill -f` matches. The shell gets `argv`, and the text as its standard input, which is empty by the time that the line
 * itself runs.
 */
export interface Script {
  readonly argv: readonly string[];
  readonly text: string;
}

/** The prefix of a shell that must find nothing in its environment, because its script contains all of it. */
export const EMPTY_ENVIRONMENT: readonly string[] = ['/usr/bin/env', '-i'];

/**
 * A shell line with these variables in its environment; their names must be valid in a shell. `startedWord`: a plain word, see
 * `loader`.
 */
export function lineScript(line: string, environment: Readonly<Record<string, string>>, startedWord?: string): Script {
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${singleQuoted(value)}`);
  // On one line: the shell counts lines as the operator does.
  return { argv: loader(startedWord), text: `{ ${[...exports, EMPTY_INPUT].join('; ')}; }; ${withExec(line)}\n` };
}

/**
 * Makes a line that is one simple command become its program (`exec`), as bash itself does under `bash -c`: then the program is
 * what systemd signals, and what a pid, an exit code or a signal refers to. Any other line stays as it is.
 */
function withExec(line: string): string {
  const [, name] = /^[ \t]*([A-Za-z0-9_./][A-Za-z0-9_./+:@-]*)(?=[ \t]|$)/.exec(line) ?? [];
  if (name === undefined || (!name.includes('/') && shellWords.has(name))) return line;
  // Redirections do not matter; anything else that could add a second command does, even in quotes.
  const rest = line.replaceAll(/\d*(?:>>|>|<)(?:&(?:\d+|-))?/g, ' ');
  return /[;&|()`\n\r]/.test(rest) ? line : `exec ${line}`;
}

/** A program as it was started before. */
interface ProgramToRun {
  readonly executable: string;
  /** With argv[0], which may be any text. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Variables that no shell can set (`a.b`, exported functions, UID) are left out. */
  readonly environment: ReadonlyMap<string, string>;
  /** What the shell does first, in the program's directory, one command each. */
  readonly steps?: readonly string[];
}

/**
 * A script that becomes the program: in its directory, with its environment and nothing else except `_` and SHLVL, which bash
 * sets. Undefined if there is no bash and argv[0] is not the executable: no other shell can start a program under another name.
 */
export function programScript({ executable, argv, cwd, environment, steps: before = [] }: ProgramToRun): Script | undefined {
  const [argv0 = executable, ...rest] = argv;
  const hasBash = shellPath().endsWith('/bash');
  if (!hasBash && argv0 !== executable) return undefined;
  const exports = [...environment]
    .filter(([name]) => isShellVariable(name))
    .map(([name, value]) => `export ${name}=${singleQuoted(value)}`);
  const steps = [
    `cd -- ${singleQuoted(cwd)} || exit`,
    EMPTY_INPUT,
    ...before,
    'unset PWD OLDPWD SHLVL',
    ...exports,
    `exec ${hasBash ? `-a ${singleQuoted(argv0)} -- ` : ''}${[executable, ...rest].map(singleQuoted).join(' ')}`,
  ];
  // As one command, which is parsed before one of the variables can change the parsing.
  return { argv: loader(), text: `{ ${steps.join('; ')}; }\n` };
}

/**
 * The text as a file that is open for reading, at its beginning: in memory, or, if that is not possible, a file without a name.
 * Throws if neither is possible.
 */
export function openScript({ text }: Pick<Script, 'text'>): number {
  const fd = openNameless();
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
    // The shell opens it again, perhaps as another user; nobody may change it.
    fchmodSync(fd, 0o444);
    return openSync(`/proc/self/fd/${fd}`, 'r');
  } finally {
    closeSync(fd);
  }
}

/** Calls `use` with the open text and closes it afterwards; returns `not_started` if the text cannot be opened. */
export async function withScript<T>(
  script: Pick<Script, 'text'>,
  use: (input: number) => Promise<T>,
): Promise<T | { readonly kind: 'not_started'; readonly reason: string }> {
  if (script.text.includes('\0')) return { kind: 'not_started', reason: 'the command holds a NUL byte' };
  let input: number;
  try {
    input = openScript(script);
  } catch (error) {
    return { kind: 'not_started', reason: `cannot pass the command's text to the shell: ${errorMessage(error)}` };
  }
  try {
    return await use(input);
  } finally {
    closeSync(input);
  }
}

/** By then the shell has read the text, or holds it open elsewhere. */
const EMPTY_INPUT = 'exec </dev/null';

/**
 * The shell and its first commands. `startedWord`: a word that it writes to the standard error that it inherits; the text's own
 * standard error goes to its standard output. `-p` for bash: it reads no start-up file of any user, and takes no function from
 * its environment. Without `;`, `$` and quotes: at a daemon-reload systemd 252 reads a transient unit again, and changes them.
 */
function loader(startedWord?: string): string[] {
  const shell = shellPath();
  const writeWord = startedWord === undefined ? '' : `exec 4>&2 2>&1 && echo ${startedWord} >&4 && exec 4>&- && `;
  const line = `${writeWord}. /dev/stdin`;
  return shell.endsWith('/bash') ? [shell, '-p', '-c', line] : [shell, '-c', line];
}

function openNameless(): number {
  const fd = loadLibc()?.memfd_create('script', MFD_CLOEXEC) ?? -1;
  if (fd >= 0) return fd;
  const dir = mkdtempSync(join(tmpdir(), 'monitor_service-'));
  try {
    return openSync(join(dir, 'script'), 'wx+', 0o600);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const MFD_CLOEXEC = 1;

function isShellVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELLS_OWN.includes(name);
}

/** Variables that no shell allows to be set, and `_`, which each command sets. */
const SHELLS_OWN: readonly string[] = ['_', 'BASHOPTS', 'EUID', 'PPID', 'SHELLOPTS', 'UID'];
