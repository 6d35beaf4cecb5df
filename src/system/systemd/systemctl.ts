import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { CallSlots } from '../../core/call-slots.ts';
import { printable } from '../../core/printable.ts';
import { hasEnded } from '../proc/parse.ts';
import { type ProcessInfo, ProcessTable } from '../proc/table.ts';
import { type ExecuteResult, execute } from '../spawn/command.ts';
import type { ServiceCallResult, ServiceManager, UnitStatus } from './service-manager.ts';

/** The systemd that is PID 1, by systemctl(1): it works without a message bus too. */
export class Systemd implements ServiceManager {
  /** Each question is a program's start: a thousand watched units ask at once. */
  readonly #slots = new CallSlots(QUESTIONS);

  get available(): boolean {
    return statSync('/run/systemd/system', { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  async show(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'status'; readonly status: UnitStatus } | { readonly kind: 'failed'; readonly reason: string }> {
    if (!this.available) return NO_SYSTEMD;
    if (!(await this.#slots.take(TURN_LIMIT_MS, signal)))
      return { kind: 'failed', reason: signal.aborted ? 'aborted' : 'systemd has too many questions to answer' };
    try {
      const shown = await showProperties(unit, PROPERTIES, signal);
      return shown.kind === 'failed' ? shown : unitStatus(shown.values);
    } finally {
      this.#slots.release();
    }
  }

  async call(
    verb: 'start' | 'restart' | 'stop' | 'reset-failed',
    unit: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ServiceCallResult> {
    if (!this.available) return NO_SYSTEMD;
    const reason = failure(await systemctl([verb, '--', unit], timeoutMs, signal));
    return reason === undefined ? { kind: 'done' } : { kind: 'failed', reason };
  }
}

const QUESTIONS = 8;
const TURN_LIMIT_MS = 30_000;

const NO_SYSTEMD = { kind: 'failed', reason: 'systemd does not run here' } as const;

/** Runs systemctl without anybody to ask and nothing to page; its words are English, whatever the locale. Never rejects. */
export function systemctl(argv: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ExecuteResult> {
  return execute('systemctl', ['--no-ask-password', '--no-pager', ...argv], { timeoutMs, signal, environment: PLAIN });
}

/**
 * Ends all that is in a unit: TERM and KILL as the unit says, and KILL for what that leaves (KillMode=process). Returns when
 * nobody is left in it (untilEmpty). Never rejects.
 */
export async function endUnit(unit: string): Promise<void> {
  const never = new AbortController().signal;
  await systemctl(['stop', '--', unit], END_LIMIT_MS, never);
  await systemctl(['kill', '--signal=SIGKILL', '--', unit], END_LIMIT_MS, never);
  await untilEmpty(unit);
}

/**
 * Waits until none of a unit's processes runs any more: systemd reports that it has sent a SIGKILL, and the kernel carries it
 * out a moment later. A process that the kernel does not let die is given up after 2 s. Never rejects.
 */
export async function untilEmpty(unit: string): Promise<void> {
  const table = new ProcessTable();
  const end = performance.now() + DEATH_LIMIT_MS;
  const isInside = (process: ProcessInfo<(typeof INSIDE_FIELDS)[number]>): boolean =>
    !hasEnded(process) && process.cgroup?.split('/').includes(unit) === true;
  while (table.list(INSIDE_FIELDS).some(isInside) && performance.now() < end) await delay(DEATH_POLL_MS);
}

const END_LIMIT_MS = 15_000;
const DEATH_LIMIT_MS = 2000;
const DEATH_POLL_MS = 5;
const INSIDE_FIELDS = ['cgroup', 'state', 'threads'] as const;

/** What makes systemd's own programs write bare lines to stderr, whatever the kernel command line says of logging. */
export const PLAIN: Readonly<Record<string, string>> = {
  LC_ALL: 'C.UTF-8',
  SYSTEMD_COLORS: '0',
  SYSTEMD_LOG_COLOR: '0',
  SYSTEMD_LOG_LEVEL: 'info',
  SYSTEMD_LOG_LOCATION: '0',
  SYSTEMD_LOG_TARGET: 'console',
  SYSTEMD_LOG_TIME: '0',
};

/** Properties of a unit by their names, those that it has (`systemctl show`); `failed` only where systemd does not answer. */
export async function showProperties(
  unit: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<
  | { readonly kind: 'shown'; readonly values: ReadonlyMap<string, string> }
  | { readonly kind: 'failed'; readonly reason: string }
> {
  const shown = await systemctl(['show', `--property=${names.join(',')}`, '--', unit], SHOW_LIMIT_MS, signal);
  const reason = failure(shown);
  if (reason !== undefined) return { kind: 'failed', reason };
  const values = new Map<string, string>();
  for (const line of shown.stdout.split('\n')) {
    const cut = line.indexOf('=');
    if (cut > 0) values.set(line.slice(0, cut), line.slice(cut + 1));
  }
  return { kind: 'shown', values };
}

/** PID 1 answers within milliseconds, unless it is hanging. */
const SHOW_LIMIT_MS = 10_000;

const PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'MainPID',
  'Type',
  'ControlGroup',
  'Job',
  // In microseconds: when the last life of the main process began, when the unit left `active`, and when that life ended.
  'ExecMainStartTimestampMonotonic',
  'ActiveExitTimestampMonotonic',
  'ExecMainExitTimestampMonotonic',
] as const;

/** Why a systemctl call failed, in one line; undefined where it did not. */
function failure(result: ExecuteResult): string | undefined {
  switch (result.kind) {
    case 'exited':
      if (result.exitCode === 0) return undefined;
      // The lines after the first one say where to look further.
      return printable(result.output.trim().split('\n')[0] || `systemctl ended with exit code ${result.exitCode}`);
    case 'signaled':
      return `systemctl was killed by ${result.signal}`;
    case 'timed_out':
      return `no answer after ${result.afterMs / 1000} s`;
    case 'aborted':
      return 'aborted';
    case 'not_started':
      return result.reason;
    default:
      return result satisfies never;
  }
}

function unitStatus(
  values: ReadonlyMap<string, string>,
): { readonly kind: 'status'; readonly status: UnitStatus } | { readonly kind: 'failed'; readonly reason: string } {
  const [id, loadState, activeState] = [values.get('Id'), values.get('LoadState'), values.get('ActiveState')];
  if (!id || !loadState || !activeState) return { kind: 'failed', reason: 'systemctl show did not say what the unit is' };
  const number = (property: (typeof PROPERTIES)[number]): number => Number(values.get(property) ?? 0);
  const leftActive = number('ActiveExitTimestampMonotonic');
  return {
    kind: 'status',
    status: {
      id,
      loadState,
      activeState,
      subState: values.get('SubState') ?? '',
      // Units other than services have neither.
      result: values.get('Result') ?? '',
      mainPid: number('MainPID'),
      type: values.get('Type') ?? '',
      controlGroup: values.get('ControlGroup') ?? '',
      hasJob: number('Job') > 0,
      endedByStop:
        number('ExecMainStartTimestampMonotonic') <= leftActive && leftActive < number('ExecMainExitTimestampMonotonic'),
    },
  };
}
