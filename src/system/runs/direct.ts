import { setTimeout as delay } from 'node:timers/promises';
import { ProcessTable } from '../proc/table.ts';
import { type StartOptions, startProgram } from '../spawn/command.ts';
import type { CommandResult } from '../spawn/command-result.ts';
import { killGroup, killRun } from '../spawn/kill-run.ts';
import { lineScript, withScript } from '../spawn/script.ts';
import { commandResult, killProgram, ProgramOutput, programEnding } from '../spawn/started-program.ts';
import type { RunFiles } from './files.ts';
import { readyRun } from './ready-run.ts';
import type { CommandRunner, ShellCommand } from './runner.ts';

/**
 * Runs commands as children of ours, each in a session and process group of its own. Used if systemd does not run, or if we are
 * not root. A check writes into a pipe, and what it left in its group is killed when it ends. An action writes into a file, and
 * what it left behind lives on. An action continues if we are killed, and `waitForRun` finds it by the name of its file.
 */
export class DirectCommandRunner implements CommandRunner {
  readonly #files: RunFiles;

  constructor(files: RunFiles) {
    this.#files = files;
  }

  async run(command: ShellCommand, signal: AbortSignal): Promise<CommandResult> {
    const run = await readyRun(command, signal);
    if (run.kind !== 'ready') return run;
    const { environment, prefix, uid } = run;
    // The environment is passed as usual: nobody else can read it, and a run is found again by its MONITOR_RUN_ID.
    const script = lineScript(command.line, {});
    const [file = '', ...argv] = [...prefix, ...script.argv];
    return withScript(script, async (input) => {
      const ready = { file, argv, options: { environment, cwd: '/', input }, uid };
      switch (command.kind) {
        case 'check':
          return await runCheck(command, ready, signal);
        case 'action':
          return await this.#act(command, ready, signal);
        default:
          return command.kind satisfies never;
      }
    });
  }

  async waitForRun(runId: string, timeoutMs: number, signal: AbortSignal): Promise<'not_found' | 'ended'> {
    const left = await this.#files.findRun(runId);
    if (left === undefined) return 'not_found';
    const table = new ProcessTable();
    const end = performance.now() + timeoutMs;
    // It is not a child of ours, so we can only check if it still exists.
    while (table.exists(left) && !signal.aborted && performance.now() < end) await delay(RUN_POLL_MS);
    if (table.exists(left)) await killRun({ ...left, runId });
    return 'ended';
  }

  async #act(
    command: ShellCommand,
    { file: shell, argv, options, uid }: ReadyCommand,
    signal: AbortSignal,
  ): Promise<CommandResult> {
    const file = this.#files.create('run', command.runId);
    try {
      if (uid !== undefined) file?.give(uid);
      const start = await startProgram(shell, argv, { ...options, output: file?.fd ?? 'ignore' });
      if (start.kind === 'not_started') return start;
      file?.record(start.program.pid);
      const ending = await programEnding(start.program, command.timeoutMs, signal);
      if (ending.kind !== 'ended') await killProgram(start.program, command.runId);
      return commandResult(ending, command.timeoutMs, file?.text() ?? '');
    } finally {
      file?.close();
    }
  }
}

/** A command, ready to be started. */
interface ReadyCommand {
  readonly file: string;
  readonly argv: readonly string[];
  readonly options: Omit<StartOptions, 'output'>;
  /** The user that it runs as; undefined for our own. */
  readonly uid: number | undefined;
}

async function runCheck(
  command: ShellCommand,
  { file, argv, options }: ReadyCommand,
  signal: AbortSignal,
): Promise<CommandResult> {
  const start = await startProgram(file, argv, { ...options, output: 'pipe' });
  if (start.kind === 'not_started') return start;
  const output = new ProgramOutput(start.program);
  const ending = await programEnding(start.program, command.timeoutMs, signal);
  // At once, before anybody else can have been given this number.
  if (ending.kind === 'ended') killGroup(start.program.pid);
  else await killProgram(start.program, command.runId, CHECK_GRACE_MS);
  await output.finish();
  return commandResult(ending, command.timeoutMs, output.joined());
}

const RUN_POLL_MS = 50;
/** A check has nothing to clean up, and its caller waits for the answer. */
const CHECK_GRACE_MS = 200;
