import { closeSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../../core/errors.ts';
import type { CommandResult } from '../spawn/command-result.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { OutputPipe } from '../spawn/output-pipe.ts';
import { EMPTY_ENVIRONMENT, lineScript, openScript, type Script } from '../spawn/script.ts';
import { ProgramOutput } from '../spawn/started-program.ts';
import { asUser } from '../spawn/user-account.ts';
import { endUnit, resetFailed, untilEmpty } from '../systemd/end-unit.ts';
import type { Pid1Link } from '../systemd/link.ts';
import type { Pid1 } from '../systemd/pid1.ts';
import type { ServiceManager } from '../systemd/service-manager.ts';
import {
  isOver,
  startTransient,
  TransientFollower,
  type TransientProperties,
  type TransientStart,
  type TransientState,
} from '../systemd/transient-unit.ts';
import { runUnit } from '../systemd/unit-name.ts';
import { attempt, type RunFile } from './file.ts';
import type { RunFiles } from './files.ts';
import { type CommandRunner, isRunId, type ShellCommand } from './runner.ts';
import { BEGUN, endScript, type RunVerdict, readNote, verdictOf, verdictResult } from './verdict.ts';

/** What the runner is built on. */
export interface TransientCommandOptions {
  /** For the output of actions. */
  readonly files: RunFiles;
  /** The folder of `files`. */
  readonly dir: string;
  readonly services: ServiceManager;
  readonly pid1: Pid1;
}

/**
 * Runs commands through PID 1, each in a transient unit of its own: outside of our sandbox and control group, under a time limit
 * that systemd keeps, and that holds for whoever called setsid(2) too. A check writes into our pipe, and all of it dies at its
 * end. An action writes into a file, goes on when we are killed, and what it left behind on a normal exit lives.
 * Source: systemd.service(5), systemd.kill(5).
 */
export class TransientCommandRunner implements CommandRunner {
  readonly #files: RunFiles;
  readonly #dir: string;
  readonly #services: ServiceManager;
  readonly #pid1: Pid1;

  constructor({ files, dir, services, pid1 }: TransientCommandOptions) {
    this.#files = files;
    this.#dir = dir;
    this.#services = services;
    this.#pid1 = pid1;
  }

  async run(command: ShellCommand, signal: AbortSignal): Promise<CommandResult> {
    if (!isRunId(command.runId)) return { kind: 'not_started', reason: 'its run id is malformed' };
    const user = await asUser(command.user, signal);
    if (signal.aborted) return { kind: 'aborted', output: '' };
    if (user.kind === 'refused') return { kind: 'not_started', reason: user.reason };
    const environment = { ...minimalEnvironment(), ...user.environment, ...command.environment, MONITOR_RUN_ID: command.runId };
    const { argv, text } = lineScript(command.line, environment, BEGUN);
    if (text.includes('\0')) return { kind: 'not_started', reason: 'the command or its environment holds a NUL byte' };
    const script = { argv: [...EMPTY_ENVIRONMENT, ...user.prefix, ...argv], text };
    const file = command.kind === 'action' ? this.#files.create('run', command.runId) : undefined;
    try {
      if (user.uid !== undefined) file?.give(user.uid);
      return await this.#carryOut(command, script, file, signal);
    } finally {
      file?.close();
    }
  }

  async settle(runId: string, timeoutMs: number, signal: AbortSignal): Promise<'not_found' | 'ended'> {
    if (!isRunId(runId)) return 'not_found';
    const end = performance.now() + timeoutMs;
    for (let looks = 0; ; looks++) {
      if (await this.#isOver(runId, signal)) {
        this.#dropNote(runId);
        return looks === 0 ? 'not_found' : 'ended';
      }
      if (signal.aborted || performance.now() >= end) break;
      await delay(Math.min(SETTLE_POLL_MS, end - performance.now()), undefined, { signal }).catch(() => {});
    }
    await endUnit(this.#pid1, runUnit(runId));
    this.#dropNote(runId);
    return 'ended';
  }

  /** A unit that is not active may still stand there: as long as what its command left behind lives. */
  async #isOver(runId: string, signal: AbortSignal): Promise<boolean> {
    const shown = await this.#services.show(runUnit(runId), signal);
    // No answer is no sign of its end.
    return shown.kind === 'status' && ['inactive', 'failed'].includes(shown.status.activeState);
  }

  async #carryOut(
    command: ShellCommand,
    script: Script,
    file: RunFile | undefined,
    signal: AbortSignal,
  ): Promise<CommandResult> {
    const { runId, timeoutMs } = command;
    const unit = runUnit(runId);
    const streams = new RunStreams(file);
    try {
      const ending = await this.#watch(command, script, streams, signal);
      if (ending.kind === 'not_started') return ending;
      if (ending.kind === 'aborted' || ending.kind === 'overdue') await endUnit(this.#pid1, unit);
      const { words, output } = await streams.finish();
      if (ending.kind === 'aborted') return { kind: 'aborted', output };
      if (ending.kind === 'overdue') return { kind: 'timed_out', afterMs: timeoutMs, output };
      const verdict: RunVerdict =
        ending.kind === 'over' ? verdictOf(ending.state, words) : { kind: 'lost', reason: ending.reason };
      if (verdict.kind === 'timed_out' || verdict.kind === 'signaled') await untilEmpty(unit);
      // As long as what it left behind lives, so does its unit: it shall not stand among those that failed.
      if (command.kind === 'action' && !(verdict.kind === 'exited' && verdict.exitCode === 0))
        await resetFailed(this.#pid1, unit);
      if (verdict.kind !== 'lost') return verdictResult(verdict, timeoutMs, output);
      await this.settle(runId, timeoutMs, signal);
      return { kind: 'not_started', reason: `how it ended is not known: ${verdict.reason}` };
    } finally {
      streams.handedOver();
      this.#dropNote(runId);
    }
  }

  async #watch(command: ShellCommand, script: Script, streams: RunStreams, signal: AbortSignal): Promise<RunEnding> {
    const { timeoutMs, runId } = command;
    // The limit is systemd's to keep; ours is for a systemd that does not answer.
    const endMs = performance.now() + timeoutMs + OVERTIME_MS;
    const left = () => ({ timeoutMs: Math.max(endMs - performance.now(), 0), signal });
    const begun = await this.#pid1.speak({ timeoutMs, signal, alive: true }, (link) =>
      following(link, runUnit(runId), async (follower) => {
        const started = await this.#start(link, command, script, streams, signal);
        return started ?? follow(follower, left, streams);
      }),
    );
    if (begun.kind === 'unreachable')
      return signal.aborted ? { kind: 'aborted' } : { kind: 'not_started', reason: begun.reason };
    let ending = begun.value;
    while (ending.kind === 'lost' && left().timeoutMs > 0) {
      const { reason } = ending;
      const again = await this.#pid1.speak(left(), (link) =>
        following(link, runUnit(runId), async (follower): Promise<RunEnding> => {
          const state = await follower.ask(left());
          if (state === 'known') return follow(follower, left, streams);
          return state === 'gone' ? this.#noted(runId, reason) : { kind: 'lost', reason };
        }),
      );
      if (again.kind === 'unreachable') return signal.aborted ? { kind: 'aborted' } : { kind: 'gone', reason };
      ending = again.value;
    }
    return ending.kind === 'lost' ? { kind: 'overdue' } : ending;
  }

  /** Undefined once systemd has it. */
  async #start(
    link: Pid1Link,
    command: ShellCommand,
    script: Script,
    streams: RunStreams,
    signal: AbortSignal,
  ): Promise<RunEnding | undefined> {
    const { kind, runId, description, timeoutMs } = command;
    const unit = runUnit(runId);
    let started: TransientStart;
    try {
      const descriptors = streams.open(script);
      if (descriptors === undefined) return { kind: 'not_started', reason: 'no pipe is to be had' };
      const starting = startTransient(
        link,
        {
          unit,
          description: `monitor_service: ${description}`,
          argv: script.argv,
          ...(kind === 'action' ? { stopPost: endScript(unit, this.#notePath(runId)) } : {}),
          properties: { ...PROPERTIES[kind], collectMode: 'inactive-or-failed', runtimeMaxMs: timeoutMs },
          descriptors,
        },
        { timeoutMs, signal },
      );
      // Copies are on their way. Ours would keep the pipes open.
      streams.handedOver();
      started = await starting;
    } catch (error) {
      return { kind: 'not_started', reason: errorMessage(error) };
    }
    switch (started.kind) {
      case 'started':
        return undefined;
      case 'taken':
        return { kind: 'not_started', reason: `${unit} is there already` };
      case 'refused':
        return { kind: 'not_started', reason: started.reason };
      case 'unknown':
        if (!link.isOpen) return { kind: 'lost', reason: started.reason };
        // PID 1 takes what it is told in that order: should it start yet, it is stopped at once.
        void link.call({ member: 'StopUnit', signature: 'ss', values: [unit, 'replace'] }, { timeoutMs: STOP_LIMIT_MS });
        return signal.aborted ? { kind: 'aborted' } : { kind: 'not_started', reason: started.reason };
      default:
        return started satisfies never;
    }
  }

  /** Where an action's end is noted for whoever was not told. */
  #notePath(runId: string): string {
    return join(this.#dir, `end-${runId}`);
  }

  #noted(runId: string, reason: string): RunEnding {
    let note = '';
    attempt(() => {
      note = readFileSync(this.#notePath(runId), 'utf8');
    });
    const state = readNote(note);
    return state === undefined ? { kind: 'gone', reason } : { kind: 'over', state };
  }

  #dropNote(runId: string): void {
    attempt(() => rmSync(this.#notePath(runId), { force: true }));
  }
}

/** `overdue`: it is beyond its limit, and nobody has ended it. `lost`: the link ended. `gone`: the unit is no more, and nobody says how it ended. */
type RunEnding =
  | { readonly kind: 'over'; readonly state: TransientState }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'overdue' }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'gone'; readonly reason: string }
  | { readonly kind: 'not_started'; readonly reason: string };

async function following(
  link: Pid1Link,
  unit: string,
  action: (follower: TransientFollower) => Promise<RunEnding>,
): Promise<RunEnding> {
  const follower = new TransientFollower(link, unit);
  try {
    return await action(follower);
  } finally {
    follower.stop();
  }
}

async function follow(
  follower: TransientFollower,
  left: () => { readonly timeoutMs: number; readonly signal: AbortSignal },
  streams: RunStreams,
): Promise<RunEnding> {
  for (;;) {
    const { state } = follower;
    if (state.mainPid > 0) streams.record(state.mainPid);
    if (isOver(state)) return { kind: 'over', state };
    const limit = left();
    if (limit.signal.aborted) return { kind: 'aborted' };
    if (limit.timeoutMs === 0) return { kind: 'overdue' };
    if (!follower.isTold) return { kind: 'lost', reason: 'the connection to systemd was lost' };
    await follower.next(limit);
  }
}

/** What a run is given: its text, a pipe for what comes before the command, and another, or a file, for the command's output. */
class RunStreams {
  readonly #file: RunFile | undefined;
  #given: (() => void)[] = [];
  #output: ProgramOutput | undefined;
  #recorded = false;

  constructor(file: RunFile | undefined) {
    this.#file = file;
  }

  /** The run's own ends; undefined where there are none to be had. Throws where its text cannot be written. */
  open(script: Script): { readonly input: number; readonly output: number; readonly error: number } | undefined {
    const words = this.#pipe();
    const pipe = this.#file === undefined ? this.#pipe() : undefined;
    if (words === undefined || (this.#file === undefined && pipe === undefined)) return undefined;
    this.#output = new ProgramOutput({ stderr: words.take(), stdout: pipe?.take() });
    const input = openScript(script);
    this.#given.push(() => closeSync(input));
    return { input, output: pipe?.write ?? this.#file?.fd ?? -1, error: words.write };
  }

  /** Lets go of the run's own ends. */
  handedOver(): void {
    for (const close of this.#given) close();
    this.#given = [];
  }

  /** Writes down which process it is. */
  record(pid: number): void {
    if (!this.#recorded) this.#file?.record(pid);
    this.#recorded = true;
  }

  /** What came, once no more is to be expected. */
  async finish(): Promise<{ readonly words: string; readonly output: string }> {
    await this.#output?.finish();
    return { words: this.#output?.stderr() ?? '', output: this.#file?.text() ?? this.#output?.stdout() ?? '' };
  }

  #pipe(): OutputPipe | undefined {
    const pipe = OutputPipe.open();
    if (pipe !== undefined) this.#given.push(() => pipe.close());
    return pipe;
  }
}

const SETTLE_POLL_MS = 200;
const STOP_LIMIT_MS = 30_000;
/** More than twice the longest TimeoutStopSec. */
const OVERTIME_MS = 15_000;

const PROPERTIES = {
  check: { timeoutStopMs: 2000 },
  action: { timeoutStopMs: 5000, killMode: 'process' },
} as const satisfies Record<ShellCommand['kind'], TransientProperties>;
