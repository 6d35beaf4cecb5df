import { wrap } from './wrap.ts';

/** How the command line ends. Numbers from 64 on are those of sysexits(3); 3 is that of LSB init scripts. */
export const exitCodes = {
  ok: 0,
  failed: 1,
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
  /** 128 + SIGPIPE, what a shell shows for any program whose reader left. */
  brokenPipe: 141,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** For the help and the manual. */
export const exitCodeMeanings: Readonly<Record<Exclude<ExitCode, 141>, string>> = {
  0: 'done',
  1: 'the order was taken and failed: not recovered, not to be restarted (match), or nothing was pinned; status --check: not well',
  3: 'status: no daemon runs; what is shown was read from store and state',
  64: 'wrong usage',
  66: 'there is no process of that name',
  69: 'the daemon or the alarm store does not answer',
  70: 'internal error',
  74: 'the output could not be written',
  75: 'not now: another daemon or order is in the way; try again later',
  76: 'the daemon answers in words of another version',
  77: 'no permission',
  78: 'the configuration cannot be used',
};

/** What single codes mean to one command, in place of what they mean to all. */
type OwnMeanings = Readonly<Partial<Record<keyof typeof exitCodeMeanings, string>>>;

/** Lines for the help: all of them, or those named. */
export function exitCodeHelp(
  codes: readonly ExitCode[] = Object.keys(exitCodeMeanings).map(Number) as ExitCode[],
  own: OwnMeanings = {},
): string {
  const meanings = { ...exitCodeMeanings, ...own };
  const lines = codes.flatMap((code) => {
    if (code === exitCodes.brokenPipe) return [''];
    const [first = '', ...more] = wrap(meanings[code], HELP_COLUMNS - MEANING_COLUMN);
    return [`  ${String(code).padEnd(4)} ${first}`, ...more.map((line) => `${' '.repeat(MEANING_COLUMN)}${line}`)];
  });
  return `Exit codes:\n${lines.join('\n')}`;
}

/** How wide the texts of the help are at most. */
export const HELP_COLUMNS = 80;
const MEANING_COLUMN = 7;
