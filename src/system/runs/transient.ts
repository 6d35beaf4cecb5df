// Runs commands through PID 1.

import { setTimeout as delay } from 'node:timers/promises';
import type { CommandResult } from '../spawn/command-result.ts';
import { EMPTY_ENVIRONMENT, lineScript, type Script } from '../spawn/script.ts';
import { emptyUnit, endUnit, resetFailed } from '../systemd/end-unit.ts';
import type { Pid1 } from '../systemd/pid1.ts';
import type { ServiceManager } from '../systemd/service-manager.ts';
import { isOver } from '../systemd/transient-follower.ts';
import { runUnit } from '../systemd/unit/name.ts';
import { isDown } from '../systemd/unit/state.ts';
import { EndNotes } from './end-script.ts';
import type { RunFile } from './file.ts';
import type { RunFiles } from './files.ts';
import { readyRun } from './ready-run.ts';
import { type CommandRunner, isRunId, type ShellCommand } from './runner.ts';
import { RunStreams } from './streams.ts';
import { TransientRun } from './transient-run.ts';
import { BEGUN, type RunVerdict, verdictOf, verdictResult } from './verdict.ts';

/** What the runner needs. */
interface TransientCommandOptions {
  /** For the output of actions. */
  readonly files: RunFiles;
  /** The folder of `files`. */
  readonly dir: string;
  readonly services: ServiceManager;
  readonly pid1: Pid1;
}

/**
 * Runs commands through PID 1, each in a transient unit of its own: outside of our sandbox and control group, with a time limit
 * that systemd enforces, even for processes that called setsid(2). A check writes into our pipe, and everything of it is killed
 * when it ends. An action writes into a file, continues if we are killed, and what it left behind at a normal exit lives on.
 * Source: systemd.service(5), systemd.kill(5).
 */
export class TransientCommandRunner implements CommandRunner {
  readonly #files: RunFiles;
  readonly #notes: EndNotes;
  readonly #services: ServiceManager;
  readonly #pid1: Pid1;

  constructor({ files, dir, services, pid1 }: TransientCommandOptions) {
    this.#files = files;
    this.#notes = new EndNotes(dir);
    this.#services = services;
    this.#pid1 = pid1;
  }

  async run(command: ShellCommand, signal: AbortSignal): Promise<CommandResult> {
    const run = await readyRun(command, signal);
    if (run.kind !== 'ready') return run;
    const { argv, text } = lineScript(command.line, run.environment, BEGUN);
    if (text.includes('\0')) return { kind: 'not_started', reason: 'the command or its environment holds a NUL byte' };
    const script = { argv: [...EMPTY_ENVIRONMENT, ...run.prefix, ...argv], text };
    const file = command.kind === 'action' ? this.#files.create('run', command.runId) : undefined;
    try {
      if (run.uid !== undefined) file?.give(run.uid);
      return await this.#carryOut(command, script, file, signal);
    } finally {
      file?.close();
    }
  }

  async waitForRun(runId: string, timeoutMs: number, signal: AbortSignal): Promise<'not_found' | 'ended'> {
    if (!isRunId(runId)) return 'not_found';
    const end = performance.now() + timeoutMs;
    for (let looks = 0; ; looks++) {
      if (await this.#isOver(runId, signal)) {
        this.#notes.drop(runId);
        return looks === 0 ? 'not_found' : 'ended';
      }
      if (signal.aborted || performance.now() >= end) break;
      await delay(Math.min(RUN_POLL_MS, end - performance.now()), undefined, { signal }).catch(() => {});
    }
    await endUnit(this.#pid1, runUnit(runId));
    this.#notes.drop(runId);
    return 'ended';
  }

  /** A unit that is not active may still exist, as long as what its command left behind lives. */
  async #isOver(runId: string, signal: AbortSignal): Promise<boolean> {
    const shown = await this.#services.show(runUnit(runId), signal);
    // No answer does not mean that it has ended.
    return shown.kind === 'status' && isDown(shown.status);
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
      const parts = { pid1: this.#pid1, command, script, streams, notes: this.#notes };
      const ending = await new TransientRun(parts).run(signal);
      if (ending.kind === 'not_started') return ending;
      if (ending.kind === 'aborted' || ending.kind === 'overdue') await endUnit(this.#pid1, unit);
      // PID 1 holds its pipe while the end script runs.
      const isComplete = ending.kind === 'over' && !isOver(ending.state);
      const { preamble, output } = await streams.finish(isComplete);
      if (ending.kind === 'aborted') return { kind: 'aborted', output };
      if (ending.kind === 'overdue') return { kind: 'timed_out', afterMs: timeoutMs, output };
      if (ending.kind === 'unanswered') return { kind: 'lost', reason: ending.reason, output };
      const verdict: RunVerdict =
        ending.kind === 'over' ? verdictOf(ending.state, preamble) : { kind: 'lost', reason: ending.reason };
      if (verdict.kind === 'timed_out' || verdict.kind === 'signaled') await emptyUnit(unit);
      // The unit exists as long as what it left behind: it must not be listed among the failed units.
      if (command.kind === 'action' && !(verdict.kind === 'exited' && verdict.exitCode === 0))
        await resetFailed(this.#pid1, unit);
      if (verdict.kind === 'lost') await this.waitForRun(runId, timeoutMs, signal);
      return verdictResult(verdict, timeoutMs, output);
    } finally {
      streams.closeGiven();
      this.#notes.drop(runId);
    }
  }
}

const RUN_POLL_MS = 200;
