import { ProcessTable } from '../proc/table.ts';
import type { RunFile } from '../runs/file.ts';
import type { RunFiles } from '../runs/files.ts';
import { type StartResult, startProgram } from '../spawn/command.ts';
import { commandFailure, commandOutput } from '../spawn/command-result.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { lineScript, withScript } from '../spawn/script.ts';
import { commandResult, programEnding, type StartedProgram } from '../spawn/started-program.ts';
import { asUser } from '../spawn/user-account.ts';
import { withRemarks } from './give-back.ts';
import type { Launch, LaunchResult, ProgramLauncher } from './launcher.ts';
import { Offspring, withLeft } from './offspring.ts';
import { planRecorded, type StartPlan } from './recorded-program.ts';

/**
 * Starts programs as children of ours, each in a new session. Used if systemd does not run, or if we are not root. Their output
 * goes into a file of RunFiles, which is cut whenever it is longer than 1 MiB: enough to show why a program failed at its
 * start, and nothing the program depends on. The programs outlive us. While we live, they are reaped when they end.
 */
export class DirectLauncher implements ProgramLauncher {
  readonly starter = process.pid;
  readonly #files: RunFiles;

  constructor(files: RunFiles) {
    this.#files = files;
  }

  async unready(): Promise<undefined> {}

  async launch(launch: Launch, graceMs: number, signal: AbortSignal): Promise<LaunchResult> {
    const plan = await planLaunch(launch, signal);
    if (plan.kind === 'refused') return { kind: 'failed', reason: plan.reason };
    if (signal.aborted) return { kind: 'failed', reason: 'aborted' };
    const file = this.#files.create('app', launch.runId);
    try {
      if (plan.uid !== undefined) file?.give(plan.uid);
      const begin = (input?: number): Promise<StartResult> =>
        startProgram(plan.file, plan.argv, { ...plan.options, input, output: file?.fd ?? 'ignore' });
      const start = await (plan.text === undefined ? begin() : withScript({ text: plan.text }, begin));
      if (start.kind === 'not_started') return { kind: 'failed', reason: start.reason };
      file?.record(start.program.pid);
      const { pid } = start.program;
      const offspring = launch.what.kind === 'line' ? new Offspring(() => [], pid) : undefined;
      const result = await this.#watch(start.program, graceMs, signal, () => file?.text() ?? '');
      return await withRemarks(await withLeft(result, offspring, undefined, outputTest(file)), launch);
    } finally {
      file?.close();
    }
  }

  /** Does nothing: a program that was launched directly has no name to free. */
  async retire(): Promise<undefined> {}

  async #watch(program: StartedProgram, graceMs: number, signal: AbortSignal, output: () => string): Promise<LaunchResult> {
    const ending = await programEnding(program, graceMs, signal);
    if (ending.kind !== 'ended') {
      // Also if we have to exit: the program runs and no longer needs us.
      program.release();
      return { kind: 'launched', pid: program.pid };
    }
    const result = commandResult(ending, graceMs, output());
    const failure = commandFailure(result);
    return failure === undefined
      ? { kind: 'launched', pid: undefined }
      : { kind: 'failed', reason: failure, ...commandOutput(result) };
  }
}

/** Returns a test for processes that write to the file which only this start was given. */
function outputTest(file: RunFile | undefined): (pid: number) => boolean {
  const table = new ProcessTable();
  if (file === undefined) return () => false;
  const ours = { pid: process.pid, link: `fd/${file.fd}` };
  return (pid) => ['fd/1', 'fd/2'].some((link) => table.leadAlike({ pid, link }, ours));
}

async function planLaunch({ what, runId }: Launch, signal: AbortSignal): Promise<StartPlan> {
  if (what.kind === 'argv') return planRecorded(what.record, runId);
  const user = await asUser(what.user, signal);
  if (user.kind === 'refused') return user;
  const script = lineScript(what.line, {});
  const [file = '', ...argv] = [...user.prefix, ...script.argv];
  const environment = { ...minimalEnvironment(), ...user.environment, ...what.environment, MONITOR_RUN_ID: runId };
  return { kind: 'ready', file, argv, options: { environment, cwd: '/' }, text: script.text, uid: user.uid };
}
