import { signalName } from '../../core/wait-status.ts';
import { numberOf, type Properties, type PropertyNames, textOf } from './properties.ts';

/** What `describeFailure` goes by. */
export const FAILURE_PROPERTIES = {
  Unit: ['ActiveState', 'ConditionResult', 'AssertResult'],
  Service: ['Result', 'ExecMainCode', 'ExecMainStatus', 'Type'],
} as const satisfies PropertyNames;

/** Why a start of the unit failed, in one line that ends with the next thing to look at. Source: systemd.service(5), systemd.exec(5). */
export function describeFailure(unit: string, values: Properties): string {
  return `${why(values)}, see journalctl -u ${unit}`;
}

function why(values: Properties): string {
  const result = textOf(values, 'Result');
  switch (result) {
    case 'exit-code':
      return mainEnd(values, CLD_EXITED) ?? `${CONTROL} ended with an exit code that is no success`;
    case 'signal':
      return mainEnd(values, CLD_KILLED) ?? `${CONTROL} was killed by a signal`;
    case 'core-dump':
      return mainEnd(values, CLD_DUMPED) ?? `${CONTROL} was killed by a signal and left a core dump`;
    case 'timeout':
      return 'it was not ready within its TimeoutStartSec';
    case 'watchdog':
      return 'its watchdog was not fed in time';
    case 'start-limit-hit':
      return 'it was started too often: its start limit is reached';
    case 'oom-kill':
      return 'it was killed for want of memory';
    case 'resources':
      return 'systemd could not set it up (a file, a user or memory is missing)';
    case 'protocol':
      return `it did not do what its Type=${textOf(values, 'Type')} promises`;
    case 'exec-condition':
      return 'its ExecCondition= said no';
    default:
      if (values.get('AssertResult') === false) return 'an assertion of it does not hold';
      if (values.get('ConditionResult') === false) return 'a condition of it is not met';
      return result === '' || result === 'success' ? 'its job failed' : `its job failed (${result})`;
  }
}

const CONTROL = 'one of its commands (ExecStartPre=, ExecStart=, ExecStartPost= …)';

/** The end of the main process, where it is what the result speaks of: else it has ended only because systemd cleared up. */
function mainEnd(values: Properties, result: number): string | undefined {
  const [code, status] = ['ExecMainCode', 'ExecMainStatus'].map((name) => numberOf(values, name));
  if (code !== result || status === undefined) return undefined;
  switch (code) {
    case CLD_EXITED:
      return status === 0 ? undefined : `its main process ended with exit code ${status}`;
    case CLD_KILLED:
      return `its main process was killed by ${signalName(status)}`;
    case CLD_DUMPED:
      return `its main process was killed by ${signalName(status)} and left a core dump`;
    default:
      return undefined;
  }
}

/** What a process's end was, as systemd tells it (waitid(2)). */
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;

/** What another result of a job than `done` and `failed` means, in one line. Source: org.freedesktop.systemd1(5), JobRemoved. */
export function jobWords(result: string, unit: string): string {
  return WORDS[result]?.(unit) ?? `its job ended as "${result}", see journalctl -u ${unit}`;
}

const WORDS: Readonly<Record<string, (unit: string) => string>> = {
  canceled: (unit) => `its job was cancelled: somebody else started or stopped it meanwhile, see journalctl -u ${unit}`,
  collected: () => 'its job was dropped: systemd has unloaded the unit meanwhile',
  timeout: (unit) => `its job reached its JobTimeoutSec, see journalctl -u ${unit}`,
  dependency: (unit) => `a unit that it needs could not be started, see systemctl list-dependencies ${unit}`,
  skipped: (unit) => `systemd skipped its job: a condition of it is not met, see systemctl status ${unit}`,
  assert: (unit) => `an assertion of it does not hold, see systemctl status ${unit}`,
  invalid: (unit) => `a job of this kind means nothing to it, see systemctl status ${unit}`,
  unsupported: (unit) => `this system cannot run units of its type, see systemctl status ${unit}`,
  once: (unit) => `it was started before, and runs only once in a boot, see systemctl status ${unit}`,
  failed: (unit) => `its job failed, see journalctl -u ${unit}`,
};
