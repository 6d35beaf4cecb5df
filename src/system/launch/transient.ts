import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '../../core/printable.ts';
import { ProcessTable } from '../proc/table.ts';
import { execute } from '../spawn/command.ts';
import { type CommandResult, commandFailure } from '../spawn/command-result.ts';
import { PLAIN, showProperties, systemctl } from '../systemd/systemctl.ts';
import { systemdRunArgv } from '../systemd/systemd-run.ts';
import { appUnit } from '../systemd/unit-name.ts';
import type { Launch, LaunchResult, ProgramLauncher } from './launcher.ts';
import { planTransient } from './transient-plan.ts';

/** What the launcher is built on. */
export interface TransientLauncherOptions {
  /** A folder of our own, made with mode 0700 where it is missing: through it a recorded environment is handed over. */
  readonly dir: string;
}

/**
 * Starts programs through PID 1, each in a transient unit named after it: outside of our sandbox and control group, its output in
 * the journal. The unit of a program that went to the background by itself stays, `active (exited)`, and all of it ends with it.
 * Source: systemd-run(1), systemd.service(5).
 */
export class TransientLauncher implements ProgramLauncher {
  readonly #dir: string;

  constructor({ dir }: TransientLauncherOptions) {
    this.#dir = dir;
  }

  async launch(launch: Launch, graceMs: number, signal: AbortSignal): Promise<LaunchResult> {
    const plan = await planTransient(launch, this.#dir, signal);
    if (plan.kind === 'refused') return { kind: 'failed', reason: plan.reason };
    try {
      const unit = appUnit(launch.systemName);
      // Each call of systemctl costs a program's start: where systemd has no such unit none is made.
      if (existsSync(join(TRANSIENT_UNITS, unit))) await free(unit, signal);
      if (signal.aborted) return { kind: 'failed', reason: 'aborted' };
      const argv = systemdRunArgv(
        {
          unit,
          description: `${launch.systemName} (started by monitor_service)`,
          properties: [...PROGRAM, `SyslogIdentifier=${identifier(launch.systemName)}`, ...plan.properties],
          argv: plan.argv,
        },
        [],
      );
      const startedMs = Date.now();
      const problem = await start(unit, argv);
      return problem === undefined ? await watch({ unit, startedMs }, graceMs, signal) : { kind: 'failed', reason: problem };
    } finally {
      plan.dispose();
    }
  }

  async retire(systemName: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const unit = appUnit(systemName);
    await systemctl(['stop', '--', unit], timeoutMs, signal);
    await systemctl(['reset-failed', '--', unit], ANSWER_LIMIT_MS, signal);
  }
}

/** TimeoutStopSec= is 90 s where nobody says otherwise. */
const STOP_LIMIT_MS = 100_000;
const ANSWER_LIMIT_MS = 30_000;

const PROGRAM: readonly string[] = [
  'RemainAfterExit=yes',
  'IgnoreSIGPIPE=no',
  'StandardOutput=journal',
  'StandardError=journal',
];

/** What `journalctl -t` knows the program by: the name, of a path its last part. */
function identifier(systemName: string): string {
  return (
    printable(systemName)
      .split('/')
      .findLast((part) => part !== '')
      ?.slice(0, MAX_IDENTIFIER) ?? 'monitor_service'
  );
}

const MAX_IDENTIFIER = 64;

/** Why the unit cannot be started, in one line; undefined where it was. Not to be aborted: half started is no state to leave. */
async function start(unit: string, argv: readonly string[]): Promise<string | undefined> {
  const never = new AbortController().signal;
  const run = () => execute('systemd-run', argv, { timeoutMs: ANSWER_LIMIT_MS, environment: PLAIN });
  const first = await run();
  if (!isTaken(first)) return commandFailure(first);
  await free(unit, never);
  return commandFailure(await run());
}

/** Ends what the unit still is: it keeps its name while it is active, also without a process, and once it has failed. */
async function free(unit: string, signal: AbortSignal): Promise<void> {
  await Promise.all([
    systemctl(['stop', '--', unit], STOP_LIMIT_MS, signal),
    systemctl(['reset-failed', '--', unit], ANSWER_LIMIT_MS, signal),
  ]);
}

/** Where systemd keeps the units that systemd-run(1) made, a file each. */
const TRANSIENT_UNITS = '/run/systemd/transient';

/** `Unit X already exists.` (systemd 239), `Unit X was already loaded or has a fragment file.` */
function isTaken(result: CommandResult): boolean {
  return result.kind === 'exited' && result.exitCode !== 0 && /\balready\b/.test(result.output);
}

/** A unit, and the wall clock just before this start of it. */
interface StartedUnit {
  readonly unit: string;
  readonly startedMs: number;
}

/** What has become of the unit when it has ended, or at the latest after `graceMs`. */
async function watch(started: StartedUnit, graceMs: number, signal: AbortSignal): Promise<LaunchResult> {
  const end = performance.now() + graceMs;
  const table = new ProcessTable();
  for (;;) {
    const shown = await showProperties(started.unit, PROPERTIES, signal);
    // It was started, and nobody says that it has ended.
    if (shown.kind === 'failed') return { kind: 'launched', pid: undefined };
    const pid = Number(shown.values.get('MainPID') ?? 0);
    if (pid === 0) return await judge(started, shown.values);
    const process = { pid, startTime: table.read(pid, ['startTime'])?.startTime ?? 0 };
    while (table.exists(process)) {
      if (signal.aborted || performance.now() >= end) return { kind: 'launched', pid };
      await delay(POLL_MS);
    }
    await delay(POLL_MS);
  }
}

const POLL_MS = 20;
const PROPERTIES = ['MainPID', 'ExecMainCode', 'ExecMainStatus', 'InvocationID'] as const;

/** A program that ended by itself with exit code 0 has left its daemon behind; any other end is a failure. */
async function judge(started: StartedUnit, values: ReadonlyMap<string, string>): Promise<LaunchResult> {
  const { unit } = started;
  const status = Number(values.get('ExecMainStatus') ?? 0);
  const exited = Number(values.get('ExecMainCode') ?? 0) === CLD_EXITED;
  if (exited && status === 0) return { kind: 'launched', pid: undefined };
  const output = await lastLines(started, values.get('InvocationID') ?? '');
  const result: CommandResult = exited
    ? { kind: 'exited', exitCode: status, output }
    : { kind: 'signaled', signal: signalName(status), output };
  const never = new AbortController().signal;
  // Neither its name nor a half of it is left behind; one that a signal ended may count as a success.
  await systemctl(['stop', '--', unit], STOP_LIMIT_MS, never);
  await systemctl(['reset-failed', '--', unit], ANSWER_LIMIT_MS, never);
  return { kind: 'failed', reason: commandFailure(result) ?? 'it ended at once' };
}

/** waitid(2). */
const CLD_EXITED = 1;

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `signal ${number}`;
}

/** The last lines that the unit's processes wrote; empty where the journal does not say. */
async function lastLines({ unit, startedMs }: StartedUnit, invocation: string): Promise<string> {
  // What was written last may still be on its way into the journal.
  await execute('journalctl', ['--sync'], { timeoutMs: ANSWER_LIMIT_MS });
  const byInvocation = /^[0-9a-f]{32}$/.test(invocation) ? await journal([`_SYSTEMD_INVOCATION_ID=${invocation}`]) : '';
  // The journal asks for the invocation after the line has come; of a process that is gone by then it knows the unit alone.
  return byInvocation || journal([`--since=@${startedMs / 1000}`, `_SYSTEMD_UNIT=${unit}`]);
}

async function journal(matches: readonly string[]): Promise<string> {
  const argv = ['--no-pager', '--quiet', '--output=cat', '--lines=10', ...matches];
  return (await execute('journalctl', argv, { timeoutMs: ANSWER_LIMIT_MS })).stdout;
}
