import { wrap } from './terminal/wrap.ts';

/** The exit codes of the command line. Numbers from 64 to 78 are from sysexits(3); 3 is from LSB init scripts. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  notKnown: 2,
  notRunning: 3,
  usage: 64,
  noSuchName: 66,
  unavailable: 69,
  internal: 70,
  output: 74,
  conflict: 75,
  protocol: 76,
  permission: 77,
  config: 78,
  /** 128 + SIGINT, which a shell shows for a program that Ctrl-C ended; no command returns it. */
  interrupted: 130,
  /** 128 + SIGPIPE, which a shell shows for a program whose reader ended first. */
  brokenPipe: 141,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The meaning of each exit code, for help and manual. */
const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'restart: it did not recover, or was not restarted; match: a restart would be refused; pin: nothing was pinned, or one of several could not be; status --check: something is not well; check: one fails',
  2: 'check: what one check looks at is not known, and no other fails',
  3: 'status: no daemon runs; what is shown was read from store and state',
  64: 'wrong usage',
  66: 'there is no process of that name',
  69: 'the daemon or the alarm store does not answer',
  70: 'internal error: a bug, or an unexpected fault of this machine',
  74: 'the output could not be written',
  75: 'not now: another daemon or order is in the way; try again later',
  76: 'the daemon is of another version: its answer is not understood',
  77: 'no permission',
  78: 'the configuration cannot be used',
  130: 'Ctrl-C ended the command; an order that the daemon has accepted continues',
  141: 'the program that read the output ended first (SIGPIPE)',
};

/** The codes with which every command may end. */
const ALWAYS: readonly ExitCode[] = [exitCodes.ok, exitCodes.usage, exitCodes.internal, exitCodes.output, exitCodes.brokenPipe];

/** Meanings of single codes for one command, in place of the general ones. */
type OwnMeanings = Readonly<Partial<Record<ExitCode, string>>>;

/** Lines of at most 80 columns for the help: for all codes, or for those given and those with which every command may end. */
export function exitCodeHelp(codes: readonly ExitCode[] = Object.values(exitCodes), own: OwnMeanings = {}): string {
  const meanings = { ...exitCodeMeanings, ...own };
  const shown = [...new Set([...ALWAYS, ...codes])].sort((a, b) => a - b);
  const lines = shown.flatMap((code) =>
    wrap(meanings[code], HELP_COLUMNS - INDENT).map((line, i) => (i === 0 ? `  ${code}` : '').padEnd(INDENT) + line),
  );
  return `Exit codes:\n${lines.join('\n')}`;
}

/** The width of the help, in columns: it is read on any terminal, and in pagers. */
export const HELP_COLUMNS = 80;
const INDENT = 7;
