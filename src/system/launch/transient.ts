import { closeSync } from 'node:fs';
import { errorMessage } from '../../core/errors.ts';
import { signalName } from '../../core/process/wait-status.ts';
import type { Surroundings } from '../../core/program/launch-record.ts';
import { printable } from '../../core/text/printable.ts';
import { groupOfService, pidsOfGroup } from '../proc/group-members.ts';
import { type CommandResult, commandFailure, commandOutput } from '../spawn/command-result.ts';
import { openScript, type Script } from '../spawn/script.ts';
import { retireUnit } from '../systemd/end-unit.ts';
import { CLD_EXITED } from '../systemd/exec-commands.ts';
import { runJob } from '../systemd/jobs.ts';
import type { Pid1Link } from '../systemd/link.ts';
import type { Pid1 } from '../systemd/pid1.ts';
import { TransientFollower, type TransientState } from '../systemd/transient-follower.ts';
import { startTransient, type TransientStart } from '../systemd/transient-unit.ts';
import { journalOf } from '../systemd/unit/journal.ts';
import { appUnit, MOST_COPIES } from '../systemd/unit/name.ts';
import { withRemarks } from './give-back.ts';
import type { Launch, LaunchResult, ProgramLauncher } from './launcher.ts';
import { Offspring, withLeft } from './offspring.ts';
import { planTransient, type TransientPlan } from './transient-plan.ts';

/**
 * Starts programs through PID 1, each in a transient unit named after it: outside of our sandbox and control group, with its
 * output in the journal. The unit of a program that went to the background by itself stays `active (exited)`, and stopping it
 * ends the whole program. Source: systemd.service(5).
 */
export class TransientLauncher implements ProgramLauncher {
  readonly starter = 1;
  readonly #pid1: Pid1;

  constructor(pid1: Pid1) {
    this.#pid1 = pid1;
  }

  async unready(timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    const reached = await this.#pid1.withLink({ timeoutMs, signal, alive: true }, async () => {});
    return reached.kind === 'unreachable' ? reached.reason : undefined;
  }

  async launch(launch: Launch, graceMs: number, signal: AbortSignal): Promise<LaunchResult> {
    const plan = await planTransient(launch, signal);
    if (plan.kind === 'refused') return failed(plan.reason);
    if (signal.aborted) return failed('aborted');
    const unit = appUnit(launch.systemName, launch.copy);
    const startedMs = Date.now();
    const remarks: string[] = [];
    let offspring: Offspring | undefined;
    const reached = await this.#pid1.withLink({ timeoutMs: launch.timeoutMs, signal, alive: true }, async (link) => {
      const started = await this.#start(link, launch, plan, remarks);
      if (started.kind !== 'started') return started;
      // Not earlier: changes before this point may belong to the unit that had the name before.
      const follower = new TransientFollower(link, unit);
      if (launch.what.kind === 'line') offspring = new Offspring(() => pidsOfGroup(groupOfService(unit)));
      try {
        return await watch(follower, graceMs, signal);
      } finally {
        follower.stop();
      }
    });
    if (reached.kind === 'unreachable') return withLeft(failed(reached.reason), offspring);
    const { value } = reached;
    switch (value.kind) {
      case 'launched':
        return withRemarks(await withLeft(value, offspring, unit), launch, remarks);
      case 'ended':
        return withRemarks(await withLeft(await this.#judge(unit, startedMs, value.state), offspring, unit), launch, remarks);
      case 'taken':
        return failed(`${unit} could not be freed`);
      case 'refused':
      case 'unknown':
        return failed(value.reason);
      default:
        return value satisfies never;
    }
  }

  async retire(systemName: string, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    const left: string[] = [];
    for (const unit of [appUnit(systemName), ...furtherUnits(systemName)]) {
      const living = await retireUnit(this.#pid1, unit, { timeoutMs, signal });
      if (living !== undefined) left.push(living);
    }
    return left.length === 0 ? undefined : left.join('; ');
  }

  /**
   * Cannot be aborted, because a half-started program is not a state to leave. What it has to be started without goes to
   * `remarks`.
   */
  async #start(
    link: Pid1Link,
    launch: Launch,
    plan: TransientPlan & { kind: 'ready' },
    remarks: string[],
  ): Promise<TransientStart> {
    const first = await this.#startWith(link, launch, plan.script, plan.surroundings);
    if (first.kind !== 'refused' || Object.keys(plan.surroundings).length === 0) return first;
    // It may be a property that this systemd does not know.
    const second = await this.#startWith(link, launch, plan.script, {});
    if (second.kind === 'started') remarks.push(`systemd refused its limits: ${first.reason}`);
    return second;
  }

  async #startWith(
    link: Pid1Link,
    { systemName, copy }: Launch,
    script: Script,
    surroundings: Surroundings,
  ): Promise<TransientStart> {
    const unit = appUnit(systemName, copy);
    let input: number;
    try {
      input = openScript(script);
    } catch (error) {
      return { kind: 'refused', reason: errorMessage(error) };
    }
    try {
      const start = (): Promise<TransientStart> => {
        // A unit keeps its name while it is active, even without a process, and after it has failed.
        void link.call({ member: 'StopUnit', signature: 'ss', values: [unit, 'replace'] }, ANSWER);
        void link.call({ member: 'ResetFailedUnit', signature: 's', values: [unit] }, ANSWER);
        return startTransient(
          link,
          {
            unit,
            description: `${systemName} (started by monitor_service)`,
            argv: script.argv,
            properties: { remainAfterExit: true, syslogIdentifier: identifier(systemName), surroundings },
            descriptors: { input },
          },
          ANSWER,
        );
      };
      const first = await start();
      if (first.kind !== 'taken') return first;
      // It runs, and takes time to stop.
      await runJob(this.#pid1, 'stop', unit, STOP);
      return await start();
    } finally {
      closeSync(input);
    }
  }

  /** A program that ended by itself with exit code 0 has left its daemon behind. Any other end is a failure. */
  async #judge(unit: string, startedMs: number, { code, status, invocation }: TransientState): Promise<LaunchResult> {
    if (code === CLD_EXITED && status === 0) return { kind: 'launched', pid: undefined };
    const output = await journalOf({ unit, invocation, sinceMs: startedMs }, JOURNAL);
    const result: CommandResult =
      code === CLD_EXITED
        ? { kind: 'exited', exitCode: status, output }
        : { kind: 'signaled', signal: signalName(status), output };
    // Neither the name nor a part of the program is left behind. An end by a signal may count as a success for systemd.
    await retireUnit(this.#pid1, unit, STOP);
    return { ...failed(commandFailure(result) ?? 'it ended at once'), ...commandOutput(result) };
  }
}

/** Returns the units of further copies in which something runs. */
function furtherUnits(systemName: string): string[] {
  const units = Array.from({ length: MOST_COPIES - 1 }, (_, index) => appUnit(systemName, index + 2));
  return units.filter((unit) => pidsOfGroup(groupOfService(unit)).length > 0);
}

/** TimeoutStopSec= is 90 s by default. */
const STOP = { timeoutMs: 100_000 };
const ANSWER = { timeoutMs: 30_000 };
const JOURNAL = { entries: 10, timeoutMs: 30_000 };

function failed(reason: string): LaunchResult & { readonly kind: 'failed' } {
  return { kind: 'failed', reason };
}

/** Returns the name that `journalctl -t` knows the program by: the name, or the last part if it is a path. */
function identifier(systemName: string): string {
  return (
    printable(systemName)
      .split('/')
      .findLast((part) => part !== '')
      ?.slice(0, MAX_IDENTIFIER) ?? 'monitor_service'
  );
}

const MAX_IDENTIFIER = 64;

/** Returns the state of the unit when its main process has ended, or after `graceMs` at the latest. */
async function watch(
  follower: TransientFollower,
  graceMs: number,
  signal: AbortSignal,
): Promise<(LaunchResult & { readonly kind: 'launched' }) | { readonly kind: 'ended'; readonly state: TransientState }> {
  const endMs = performance.now() + graceMs;
  for (let isFirst = true; ; isFirst = false) {
    const leftMs = endMs - performance.now();
    const isLast = leftMs <= 0 || signal.aborted || !follower.isConnected;
    // Some changes were not received: the first ones came before we listened, systemd 239 delays some, and a link may have
    // ended.
    if (isFirst || isLast) await follower.ask(ANSWER);
    const { state } = follower;
    if (state.code !== 0) return { kind: 'ended', state };
    // It was started, and nobody reports that it has ended.
    if (isLast) return { kind: 'launched', pid: state.mainPid > 0 ? state.mainPid : undefined };
    await follower.next({ timeoutMs: leftMs, signal });
  }
}
