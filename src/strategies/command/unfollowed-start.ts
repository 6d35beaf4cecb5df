import { withName } from '../../core/command-template.ts';
import { lastPart } from '../../core/process/comm.ts';
import { givenPart, interpreterOf } from '../../core/program/interpreters.ts';
import { hostStat } from '../../system/files/host-path.ts';
import { readShebang } from '../../system/launch/script-file.ts';
import { type DaemonStart, daemonStart } from './daemon-starters.ts';
import { commandsOf, programAt } from './words.ts';

/**
 * Why a program that somebody else has started could not be recognised by the name `systemName`, given how `start_command`
 * starts it: with an interpreter or a launcher. One line; undefined if the name identifies it, or if nothing can be said about
 * the line.
 */
export function unfollowedStart(startCommand: string, systemName: string): string | undefined {
  const name = lastPart(systemName);
  for (const words of commandsOf(startCommand)) {
    const [first] = words;
    const daemon = daemonStart(words);
    if (first === undefined || (interpreterOf(first) === undefined && daemon?.starter !== lastPart(first))) continue;
    if (daemon !== undefined) return daemon.starter === name ? undefined : unfollowedDaemon(first, name, daemon);
    // `su - app -c "…"`: what it runs is in a text of its own.
    const text = words[words.findIndex((word) => /^-\w*c$/.test(word)) + 1];
    if (interpreterOf(first) === 'launcher' && text !== undefined && text !== first && /[\s/]/.test(text)) {
      const isCalled = text.split(/[\s;&|]+/).some((word) => lastPart(word) === name);
      return unfollowedStart(text, systemName) ?? (isCalled ? undefined : notRecognised(first, name, 'argument'));
    }
    const program = programAt(words);
    const called = words[program];
    if (called === undefined || hasName(words.slice(program), name)) return undefined;
    const mark = scriptOf(words.slice(program)) ?? (isAdvice(words, program) ? called : undefined);
    return notRecognised(first, name, argumentAdvice(mark));
  }
  return undefined;
}

/** Whoever starts a daemon this way knows it by its pid file. */
function unfollowedDaemon(first: string, name: string, { pidFile, program }: DaemonStart): string | undefined {
  const [called] = program;
  if (called !== undefined && hasName(program, name)) return undefined;
  const path = pidFile === undefined ? undefined : withName(pidFile, name);
  if (path !== undefined)
    return notRecognised(first, name, /^\/[^$`*?]*[^/$`*?]$/.test(path) ? `pid_file = ${path}` : 'pid_file', '');
  const isProgram = called !== undefined && interpreterOf(called) === undefined;
  return notRecognised(first, name, argumentAdvice(scriptOf(program) ?? (isProgram ? called : undefined)));
}

/** Whether the program has that name, or a script that it reads and that the kernel could run. */
function hasName(argv: readonly string[], name: string): boolean {
  if (lastPart(argv[0] ?? '') === name) return true;
  const script = scriptOf(argv);
  return script !== undefined && lastPart(script) === name && isScript(script);
}

/** Not an interpreter's name, an option's value (`strace -o FILE`), or an operand before the program (`flock FILE`). */
function isAdvice(words: readonly string[], program: number): boolean {
  const before = words.slice(0, program);
  const isValue = /^-(?!-$)/.test(before.at(-1) ?? '');
  return (
    interpreterOf(words[program] ?? '') === undefined && !isValue && !before.some((word) => OPERAND_FIRST.has(lastPart(word)))
  );
}

const OPERAND_FIRST: ReadonlySet<string> = new Set(['flock', 'chroot', 'envdir', 'socat', 'gdb', 'gdbserver']);

/** Without a slash it may be a user's name or an option's value, which many a command line contains. */
function argumentAdvice(mark: string | undefined): string {
  return mark?.includes('/') === true ? `argument = ${mark}` : 'argument';
}

function notRecognised(first: string, name: string, advice: string, other = ', or pid_file'): string {
  return `starts ${first}: a copy that monitor_service did not start is not called ${name}, so it is not recognised (set ${advice}${other})`;
}

function scriptOf(argv: readonly string[]): string | undefined {
  const kind = interpreterOf(argv[0] ?? '');
  const given = kind === undefined || kind === 'launcher' ? undefined : givenPart(kind, argv);
  return given?.kind === 'file' ? argv[given.at] : undefined;
}

function isScript(path: string): boolean {
  if (!path.startsWith('/') || readShebang(path).length === 0) return false;
  const stat = hostStat(path);
  return typeof stat !== 'string' && (stat.mode & 0o111) !== 0;
}
