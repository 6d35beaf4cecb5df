// Describes why a job of a unit failed.

import { printable } from '../../core/text/printable.ts';
import { shellWord } from '../../core/text/typed-command.ts';
import { CONDITION_PROPERTIES, EXEC_CONDITION_REFUSED, unmetCondition } from './condition-words.ts';
import { CLD_DUMPED, CLD_EXITED, CLD_KILLED, COMMAND_LISTS, commandsOf, endWords, failedCommand } from './exec-commands.ts';
import { numberOf, type Properties, type PropertyNames, textOf } from './properties.ts';

/** The properties that `describeFailure` reads. */
export const FAILURE_PROPERTIES = {
  Unit: ['ActiveState', 'SubState', ...CONDITION_PROPERTIES.Unit],
  Service: ['Result', 'ExecMainCode', 'ExecMainStatus', 'MainPID', 'Type', 'PIDFile', ...COMMAND_LISTS],
} as const satisfies PropertyNames;

/**
 * Says why a start of the unit failed, in one line that ends with what to look at next. Source: systemd.service(5),
 * systemd.exec(5).
 */
export function describeFailure(unit: string, values: Properties): string {
  const result = textOf(values, 'Result');
  const hasResult = result !== '' && result !== 'success' && unmetCondition(values) === undefined;
  const verdict = hasResult ? `failed (${result}): ` : '';
  return `${verdict}${failureWords(values) ?? 'its job failed'}, see journalctl -u ${shellWord(unit)}`;
}

/** Says why the unit failed or did not start, in words that can follow its Result=. Undefined if systemd reports no failure. */
export function failureWords(values: Properties): string | undefined {
  // The conditions were tested at the last start; the result may be from an earlier run.
  const unmet = unmetCondition(values);
  if (unmet !== undefined) return unmet;
  const result = textOf(values, 'Result');
  switch (result) {
    case '':
    case 'success':
      return undefined;
    case 'exit-code':
      return commandEnd(values, CLD_EXITED) ?? `${CONTROL} ended with a failure exit code`;
    case 'signal':
      return commandEnd(values, CLD_KILLED) ?? `${CONTROL} was killed by a signal`;
    case 'core-dump':
      return commandEnd(values, CLD_DUMPED) ?? `${CONTROL} was killed by a signal and left a core dump`;
    case 'timeout':
      return pidFileWords(values) ?? timeoutWords(values);
    case 'watchdog':
      return 'it did not answer its watchdog in time';
    case 'start-limit-hit':
      return 'it was started too often: its start limit is reached';
    case 'oom-kill':
      return 'it was killed because memory ran out';
    case 'resources':
      return 'systemd could not set it up (a file, a user or memory is missing)';
    case 'protocol':
      return pidFileWords(values) ?? `it did not follow the protocol of its Type=${textOf(values, 'Type')}`;
    case 'exec-condition':
      return EXEC_CONDITION_REFUSED;
    default:
      return 'its job failed';
  }
}

/**
 * Says that a service of Type=forking went to the background, but its PIDFile= names none of its processes. Undefined
 * otherwise.
 */
export function pidFileWords(values: Properties): string | undefined {
  const file = textOf(values, 'PIDFile');
  if (textOf(values, 'Type') !== 'forking' || file === '' || numberOf(values, 'MainPID') > 0) return undefined;
  const start = commandsOf(values).filter(({ name }) => name.startsWith('ExecStart='));
  // systemd forgets the results of commands at a daemon-reload.
  const hasForked = start.every(({ startedAt, code, status }) => startedAt === 0 || (code === CLD_EXITED && status === 0));
  return hasForked ? `its PIDFile=${printable(file.slice(0, LONGEST_PATH))} names none of its processes` : undefined;
}

const LONGEST_PATH = 200;
const CONTROL = 'one of its commands (ExecStartPre=, ExecStart=, ExecStartPost= …)';

/**
 * Describes the end of the last failed command, or of the main process, if the result refers to it. Other processes were only
 * cleaned up.
 */
function commandEnd(values: Properties, result: number): string | undefined {
  const command = failedCommand(values);
  if (command?.code === result) return `${command.name} ${endWords(command.code, command.status)}`;
  const [code = 0, status = 0] = ['ExecMainCode', 'ExecMainStatus'].map((name) => numberOf(values, name));
  if (code !== result || (code === CLD_EXITED && status === 0)) return undefined;
  return `${mainCommand(values) ?? 'its main process'} ${endWords(code, status)}`;
}

/** Returns the command of the main process. Undefined if it may be one of several commands, or a process that they started. */
function mainCommand(values: Properties): string | undefined {
  const start = commandsOf(values).filter(({ name }) => name.startsWith('ExecStart='));
  return textOf(values, 'Type') === 'forking' || start.length !== 1 ? undefined : start[0]?.name;
}

/** The result does not say which limit was reached: the process that was stopped at it shows that. */
function timeoutWords(values: Properties): string {
  const name = failedCommand(values)?.name ?? '';
  if (name.startsWith('ExecStop')) return `${name} did not end within TimeoutStopSec`;
  return `it was not ready within its TimeoutStartSec${name === '' ? '' : `: ${name} had not finished`}`;
}

/** Describes in one line a job result other than `done` and `failed`. Source: org.freedesktop.systemd1(5), JobRemoved. */
export function jobWords(result: string, unit: string): string {
  return WORDS[result]?.(unit) ?? `its job ended as "${result}", see journalctl -u ${shellWord(unit)}`;
}

const WORDS: Readonly<Record<string, (unit: string) => string>> = {
  canceled: (unit) =>
    `its job was cancelled: somebody else started or stopped it meanwhile, see journalctl -u ${shellWord(unit)}`,
  collected: () => 'its job was dropped: systemd has unloaded the unit meanwhile',
  timeout: (unit) => `its job reached its JobTimeoutSec, see journalctl -u ${shellWord(unit)}`,
  dependency: (unit) => `a unit that it needs could not be started, see systemctl list-dependencies ${unit}`,
  skipped: (unit) => `systemd skipped its job: one of its conditions is not met, see systemctl status ${unit}`,
  assert: (unit) => `one of its assertions does not hold, see systemctl status ${unit}`,
  invalid: (unit) => `this unit has no such job, see systemctl status ${unit}`,
  unsupported: (unit) => `this system cannot run units of its type, see systemctl status ${unit}`,
  once: (unit) => `it was started before and runs only once per boot, see systemctl status ${unit}`,
  failed: (unit) => `its job failed, see journalctl -u ${shellWord(unit)}`,
};
