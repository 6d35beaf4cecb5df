// Describes why a unit is not up.

import { formatDuration } from '../../core/text/duration.ts';
import { printable } from '../../core/text/printable.ts';
import { commandsOf, runningCommand } from './exec-commands.ts';
import { FAILURE_PROPERTIES, failureWords, pidFileWords } from './job-words.ts';
import { activeStateOf, hasJob, type Properties, type PropertyNames, textOf } from './properties.ts';
import { isUp } from './unit/state.ts';

/** The properties that `describeState` reads. */
export const STATE_PROPERTIES = {
  Unit: [...FAILURE_PROPERTIES.Unit, 'Job'],
  Service: [...FAILURE_PROPERTIES.Service, 'StatusText'],
} as const satisfies PropertyNames;

/**
 * Says in one line why a unit is not up: what it waits for while it is starting or stopping (`ExecStartPre=/bin/sleep still
 * runs`), which jobs its own job waits for, else why it failed. Undefined if it is up, or if nothing went wrong. `waitsFor`:
 * the jobs that its own is ordered after, as `base.service (start)`. `dueInMs`: in how many milliseconds systemd will restart
 * it by itself.
 */
export function describeState(
  values: Properties,
  { waitsFor = [], dueInMs }: { readonly waitsFor?: readonly string[]; readonly dueInMs?: number | undefined } = {},
): string | undefined {
  const state = activeStateOf(values);
  const subState = textOf(values, 'SubState');
  if (waitsFor.length > 0) return `its job waits for ${waitsFor.join(', ')}`;
  if (state === 'activating' && subState.startsWith('auto-restart')) {
    const when =
      dueInMs === undefined
        ? ''
        : dueInMs === Number.POSITIVE_INFINITY
          ? ', but its RestartSec= is infinite'
          : ` in ${formatDuration(dueInMs)}`;
    const why = failureWords(values);
    return `systemd will restart it by itself${when}${why === undefined ? '' : `: ${why}`}`;
  }
  if (state === 'activating') return startWords(values);
  if (state === 'deactivating') return stopWords(values);
  if (isUp({ activeState: state })) return undefined;
  return failureWords(values) ?? (hasJob(values) ? 'its job has not begun' : undefined);
}

function startWords(values: Properties): string {
  const type = textOf(values, 'Type');
  const status = textOf(values, 'StatusText');
  const statusText = status === '' ? '' : ` (its status: ${printable(status.slice(0, LONGEST_STATUS))})`;
  const running = runningCommand(values)?.name;
  if (running !== undefined && !running.startsWith('ExecStart=')) return `${running} still runs${statusText}`;
  if (textOf(values, 'SubState') === 'start') {
    if (type === 'notify' || type === 'notify-reload')
      return `it has not notified systemd that it is ready (Type=${type})${statusText}`;
    if (type === 'dbus') return 'it has not taken its BusName=';
  }
  if (running !== undefined) return `${running} still runs${statusText}`;
  const isForking = textOf(values, 'SubState') === 'start' ? pidFileWords(values) : undefined;
  return isForking ?? stillRuns(values) ?? 'its start does not finish';
}

function stopWords(values: Properties): string {
  const running = runningCommand(values);
  const isStop = running !== undefined && /^ExecStop(Post)?=/.test(running.name);
  if (isStop) return `${running.name} still runs`;
  return stillRuns(values) ?? 'its processes do not end';
}

/** Uses the state alone, because a daemon-reload forgets which command runs. */
function stillRuns(values: Properties): string | undefined {
  const list = COMMAND_OF[textOf(values, 'SubState')];
  if (list === undefined) return undefined;
  const [first, ...others] = commandsOf(values).filter(({ name }) => name.startsWith(`${list}=`));
  return first === undefined ? undefined : `${others.length === 0 ? first.name : `a command of ${list}=`} still runs`;
}

const COMMAND_OF: Readonly<Record<string, string>> = {
  condition: 'ExecCondition',
  'start-pre': 'ExecStartPre',
  start: 'ExecStart',
  'start-post': 'ExecStartPost',
  stop: 'ExecStop',
  'stop-post': 'ExecStopPost',
};

const LONGEST_STATUS = 200;
