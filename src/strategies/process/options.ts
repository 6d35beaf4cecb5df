import { constants } from 'node:os';
import { closest } from '../../config/did-you-mean.ts';
import { isDefault } from '../../config/families.ts';
import { DEFAULT_SECTION, type SectionReader } from '../../core/config.ts';
import { invisibleIn } from '../../core/text/printable.ts';

/** The process strategy's keys of `[process.NAME]`. */
export interface ProcessOptions {
  /** True in the process's own section: only then is a program looked for in PATH. */
  readonly configured: boolean;
  /** `start_command`, a shell line; undefined: its own command line. */
  readonly startCommand: string | undefined;
  /** `stop_command`, a shell line; undefined: `stopSignal`. */
  readonly stopCommand: string | undefined;
  /** `stop_signal` as a number; default 15, TERM. */
  readonly stopSignal: number;
  /** `stop_timeout`: from the stop signal to SIGKILL; default 10 s. */
  readonly stopTimeoutMs: number;
  /** `supervisor_wait`: how long another supervisor has to start it again; default 10 s, 0: not at all. */
  readonly supervisorWaitMs: number;
  /** `max_matches`: how many process trees of that name may run; default 1, at least 1. */
  readonly maxMatches: number;
  /** `user`: who owns the program and runs start_command, a name or a uid; undefined: the daemon's user. */
  readonly user: string | undefined;
  /** `any_user`: a process of that name is the program, whoever owns it. */
  readonly anyUser: boolean;
  /** `pid_file`: where the program writes its pid, an absolute path. */
  readonly pidFile: string | undefined;
  /** `argument`: a word of the program's command line that distinguishes it from others. */
  readonly argument: string | undefined;
  /** `command_timeout` of stop_command; default 60 s. */
  readonly commandTimeoutMs: number;
  /** `stable_time`: how long a process must have run to be healthy; default 1 s. */
  readonly stableTimeMs: number;
}

/** What identifies the processes of a program besides its name. */
export type ProgramIdentity = Pick<ProcessOptions, 'user' | 'anyUser' | 'pidFile' | 'argument'>;

/** Reads the keys; reports problems to the reader. Source: the bash service and signal(7). */
export function parseProcessOptions(section: SectionReader): ProcessOptions {
  return {
    configured: section.section !== DEFAULT_SECTION,
    startCommand: section.command('start_command'),
    stopCommand: section.command('stop_command'),
    stopSignal: parseStopSignal(section),
    stopTimeoutMs: section.secondsAsMs('stop_timeout', { default: 10 }),
    supervisorWaitMs: section.secondsAsMs('supervisor_wait', { default: 10, max: 3600 }),
    maxMatches: section.integer('max_matches', { default: 1, min: 1 }),
    ...parseProgramIdentity(section),
    commandTimeoutMs: section.secondsAsMs('command_timeout', { default: 60, min: 0.1 }),
    stableTimeMs: section.secondsAsMs('stable_time', { default: 1, max: 3600 }),
  };
}

/** Reads `user`, `any_user`, `pid_file` and `argument`; reports problems to the reader. */
export function parseProgramIdentity(section: SectionReader): ProgramIdentity {
  return {
    user: parseUser(section),
    anyUser: section.boolean('any_user', false),
    pidFile: ofOneProgram(section, 'pid_file', parsePidFile),
    argument: ofOneProgram(section, 'argument', parseArgument),
  };
}

/** A key that identifies one program would make every name of the database that program. */
function ofOneProgram(
  section: SectionReader,
  key: string,
  parse: (section: SectionReader) => string | undefined,
): string | undefined {
  if (!isDefault(section.section) || section.text(key) === undefined) return parse(section);
  const one = section.section.replace(/default$/, 'NAME');
  section.problem(key, `belongs to one program: set it in a section [${one}], not in [${section.section}]`);
  return undefined;
}

function parsePidFile(section: SectionReader): string | undefined {
  const path = section.text('pid_file');
  if (path?.includes('%s')) section.warning('pid_file', 'is used literally: %s is not replaced here');
  if (path === undefined || (path.startsWith('/') && !path.endsWith('/'))) return path;
  section.problem('pid_file', `invalid value "${path}", expected a file's full path, such as /run/app.pid`);
  return undefined;
}

function parseArgument(section: SectionReader): string | undefined {
  const argument = section.text('argument');
  if (argument !== undefined && /\s/.test(argument))
    section.warning('argument', 'contains a blank: it must be one whole word of the command line');
  if (argument === undefined || Buffer.byteLength(argument) <= LONGEST_ARGUMENT) return argument;
  section.problem(
    'argument',
    `invalid value, expected at most ${LONGEST_ARGUMENT} bytes (the longest word of a command line), got ${Buffer.byteLength(argument)}`,
  );
  return undefined;
}

/** MAX_ARG_STRLEN without the final NUL (execve(2)). */
const LONGEST_ARGUMENT = 128 * 1024 - 1;

function parseStopSignal(section: SectionReader): number {
  const text = section.text('stop_signal');
  if (text === undefined) return constants.signals.SIGTERM;
  const name = text.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  const number = /^\d{1,2}$/.test(text) ? Number(text) : numberOf(name);
  if (number === undefined || number < 1 || number > LAST_SIGNAL) {
    const meant = closest(name.slice('SIG'.length), ENDING);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    section.problem(
      'stop_signal',
      `invalid value "${text}", expected a signal's name such as TERM, INT or QUIT, or a number${hint}`,
    );
    return constants.signals.SIGTERM;
  }
  if (PAUSING.includes(number))
    section.problem(
      'stop_signal',
      `invalid value "${text}", expected a signal that ends a process: this one suspends or continues it`,
    );
  return number;
}

function numberOf(name: string): number | undefined {
  return Object.hasOwn(constants.signals, name) ? constants.signals[name as NodeJS.Signals] : undefined;
}

const LAST_SIGNAL = 64;
const { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT } = constants.signals;
const PAUSING: readonly number[] = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT];
/** As people write them. */
const ENDING = Object.entries(constants.signals).flatMap(([name, number]) =>
  PAUSING.includes(number) ? [] : [name.slice('SIG'.length)],
);

/**
 * Names as useradd(8) and NSS accept them: nothing that could be an option or part of a command, or looks like another name.
 */
function parseUser(section: SectionReader): string | undefined {
  const user = section.text('user');
  if (user === undefined || (USER_NAME.test(user) && invisibleIn(user) === undefined)) return user;
  section.problem('user', `invalid value "${user}", expected a user's name or a uid`);
  return undefined;
}

const USER_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.@\\-]*\$?$/u;
