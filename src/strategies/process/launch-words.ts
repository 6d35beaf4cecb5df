import { printable, quoted } from '../../core/text/printable.ts';
import { typedCommand } from '../../core/text/typed-command.ts';

/** Arguments as a person reads them: those that a shell would not take for one word are quoted. */
export function describeArgv(argv: readonly string[]): string {
  const first = argv.slice(0, SHOWN_LENGTH);
  return shown(first.map((argument) => (/^[\w@%+=:,./-]+$/.test(argument) ? argument : quoted(argument))).join(' '));
}

/** For people, printable, and of what is long the beginning: 200 characters. */
export function shown(text: string): string {
  const line = printable(text);
  return line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH)}…` : line;
}

const SHOWN_LENGTH = 200;

/** Why a record without a word on its confinement is not used. */
export const OLD_RECORD =
  'how it was started was recorded by an earlier version, which did not look whether it was confined: start it once by hand, or set start_command';

/** Why nothing is known of how a program is started that never ran while we looked. */
export const NEVER_SEEN = 'it has not been seen running, so how to start it is not known';

/** A refusal of what cannot be started. */
export function nothingToStart(why: string): string {
  return `${NOTHING}${why}${SET_START_COMMAND}`;
}

/** The same, if it is one of a program that nobody has seen, with `noUnit`: that there is no unit of its name either. */
export function nothingOfEitherKind(refusal: string, noUnit: string, processName: string): string {
  if (!refusal.startsWith(`${NOTHING}${NEVER_SEEN}`) || !refusal.endsWith(SET_START_COMMAND)) return refusal;
  const why = refusal.slice(0, -SET_START_COMMAND.length);
  return `${why}, and ${noUnit}; set system_name or start_command in [process.${shown(processName)}]`;
}

const NOTHING = 'nothing to start: ';
const SET_START_COMMAND = '; set start_command';

/** In front of why how a program was started is not used. */
export const UNUSABLE = 'how it was started is not usable';

/** What to do where a record is not enough, for the end of a line. */
export function pinCure(processName: string): string {
  return `run \`${typedCommand('pin', processName)}\` or set start_command`;
}

/** What to do where a pin does not hold any more, for the end of a line. */
export function pinAgain(processName: string): string {
  return `run \`${typedCommand('pin', processName)}\` again, or set start_command`;
}
