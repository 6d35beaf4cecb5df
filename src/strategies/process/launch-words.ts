// The words in which launches, and refusals to start something, are described to people.
import { printable, quoted } from '../../core/text/printable.ts';
import { typedCommand } from '../../core/text/typed-command.ts';

/** Arguments as a person reads them: those that a shell would not take for one word are quoted. */
export function describeArgv(argv: readonly string[]): string {
  const first = argv.slice(0, SHOWN_LENGTH);
  return shown(first.map((argument) => (/^[\w@%+=:,./-]+$/.test(argument) ? argument : quoted(argument))).join(' '));
}

/** For people, printable; at most the first 200 characters. */
export function shown(text: string): string {
  const line = printable(text);
  return line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH)}…` : line;
}

const SHOWN_LENGTH = 200;

/** Why a record that does not say whether the program was confined is not used. */
export const OLD_RECORD =
  'how it was started was recorded by an earlier version, which did not check whether it was confined: start it once by hand, or set start_command';

/** Why it is not known how to start a program that never ran while we looked. */
export const NEVER_SEEN = 'it has not been seen running, so how to start it is not known';

/** The refusal to start a program. */
export function nothingToStart(why: string): string {
  return `${NOTHING}${why}${SET_START_COMMAND}`;
}

/** The same, if the program was never seen; `noUnit`: that there is no unit of its name either. */
export function nothingOfEitherKind(refusal: string, noUnit: string, processName: string): string {
  if (!refusal.startsWith(`${NOTHING}${NEVER_SEEN}`) || !refusal.endsWith(SET_START_COMMAND)) return refusal;
  const why = refusal.slice(0, -SET_START_COMMAND.length);
  return `${why}, and ${noUnit}; set system_name or start_command in [process.${shown(processName)}]`;
}

const NOTHING = 'nothing to start: ';
const SET_START_COMMAND = '; set start_command';

/** Introduces the reason why the known launch of a program is not used. */
export const UNUSABLE = 'how it was started is not usable';

/** What to do if a record is not enough, for the end of a line. */
export function pinAdvice(processName: string): string {
  return `run \`${typedCommand('pin', processName)}\` or set start_command`;
}

/** What to do if a pin no longer holds, for the end of a line. */
export function pinAgain(processName: string): string {
  return `run \`${typedCommand('pin', processName)}\` again, or set start_command`;
}
