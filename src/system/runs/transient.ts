import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type StartResult, startProgram } from '../spawn/command.ts';
import type { CommandResult } from '../spawn/command-result.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { OutputTail } from '../spawn/output-tail.ts';
import { shellArgv } from '../spawn/shell.ts';
import { killProgram, ProgramOutput, programEnding, type StartedProgram } from '../spawn/started-program.ts';
import { asUser } from '../spawn/user-account.ts';
import type { ServiceManager } from '../systemd/service-manager.ts';
import { endUnit, PLAIN, systemctl, untilEmpty } from '../systemd/systemctl.ts';
import { systemdRunArgv, withEnvironment } from '../systemd/systemd-run.ts';
import { runUnit } from '../systemd/unit-name.ts';
import type { RunFile } from './file.ts';
import type { RunFiles } from './files.ts';
import type { CommandRunner, ShellCommand } from './runner.ts';
import { BEGUN, hasBegun, isUnderWay, readVerdict, verdictResult } from './verdict.ts';

/** What the runner is built on. */
export interface TransientCommandOptions {
  /** For the output of actions. */
  readonly files: RunFiles;
  /** The folder of `files`. */
  readonly dir: string;
  readonly services: ServiceManager;
}

/**
 * Runs commands through PID 1, each in a transient unit of its own: outside of our sandbox and control group, under a time limit
 * that systemd keeps, and that holds for whoever called setsid(2) too. A check writes into our pipe, and all of it dies at its
 * end. An action writes into a file, goes on when we are killed, and what it left behind on a normal exit lives.
 * Source: systemd-run(1), systemd.service(5), systemd.kill(5).
 */
export class TransientCommandRunner implements CommandRunner {
  readonly #files: RunFiles;
  readonly #dir: string;
  readonly #services: ServiceManager;

  constructor({ files, dir, services }: TransientCommandOptions) {
    this.#files = files;
    this.#dir = dir;
    this.#services = services;
  }

  async run(command: ShellCommand, signal: AbortSignal): Promise<CommandResult> {
    if (!RUN_ID.test(command.runId)) return { kind: 'not_started', reason: 'its run id is malformed' };
    const shell = await asUser(shellArgv(command.line), command.user, signal);
    if (signal.aborted) return { kind: 'aborted', output: '' };
    if (shell.kind === 'refused') return { kind: 'not_started', reason: shell.reason };
    const environment = {
      ...minimalEnvironment(),
      ...shell.environment,
      ...command.environment,
      MONITOR_RUN_ID: command.runId,
    };
    const argv = withEnvironment(environment, shell.argv);
    if (command.kind === 'check') return await this.#watch(command, await start(command, CHECK, argv), signal);
    const file = this.#files.create('run', command.runId);
    try {
      if (shell.uid !== undefined) file?.give(shell.uid);
      const path = file === undefined ? '/dev/null' : join(this.#dir, file.name);
      const started = await start(command, [...ACTION, endsWhole(runUnit(command.runId))], argv, path);
      return await this.#watch(command, started, signal, file);
    } finally {
      file?.close();
    }
  }

  async settle(runId: string, timeoutMs: number, signal: AbortSignal): Promise<'not_found' | 'ended'> {
    if (!RUN_ID.test(runId)) return 'not_found';
    const end = performance.now() + timeoutMs;
    for (let looks = 0; ; looks++) {
      if (await this.#isOver(runId, signal)) return looks === 0 ? 'not_found' : 'ended';
      if (signal.aborted || performance.now() >= end) break;
      await delay(Math.min(SETTLE_POLL_MS, end - performance.now()), undefined, { signal }).catch(() => {});
    }
    await endUnit(runUnit(runId));
    return 'ended';
  }

  /** A unit that is not active may still stand there: as long as what its command left behind lives. */
  async #isOver(runId: string, signal: AbortSignal): Promise<boolean> {
    const shown = await this.#services.show(runUnit(runId), signal);
    // No answer is no sign of its end.
    return shown.kind === 'status' && ['inactive', 'failed'].includes(shown.status.activeState);
  }

  async #watch(command: ShellCommand, start: StartResult, signal: AbortSignal, file?: RunFile): Promise<CommandResult> {
    if (start.kind === 'not_started') return start;
    const { program } = start;
    const { timeoutMs } = command;
    const words = new OutputTail();
    let begun = false;
    program.stderr?.on('data', (chunk: Buffer) => {
      words.push(chunk);
      if (begun || !hasBegun(words.text())) return;
      begun = true;
      // Not before: the file is found by its name until then.
      file?.record(program.pid);
    });
    const output = new ProgramOutput(program);
    const text = (): string => file?.text() ?? output.stdout();
    // The limit is systemd's to keep; ours is for a systemd that does not answer.
    const ending = await programEnding(program, timeoutMs + OVERTIME_MS, signal);
    if (ending.kind !== 'ended') await end(program, runUnit(command.runId), () => words.text());
    await output.finish();
    if (ending.kind === 'aborted') return { kind: 'aborted', output: text() };
    if (ending.kind === 'timed_out') return { kind: 'timed_out', afterMs: timeoutMs, output: text() };
    const verdict = readVerdict(words.text());
    if (verdict.kind === 'timed_out' || verdict.kind === 'signaled') await untilEmpty(runUnit(command.runId));
    if (command.kind === 'action' && !(verdict.kind === 'exited' && verdict.exitCode === 0)) {
      // As long as what it left behind lives, so does its unit: it shall not stand among those that failed.
      await systemctl(['reset-failed', '--', runUnit(command.runId)], ANSWER_LIMIT_MS, signal);
    }
    if (verdict.kind !== 'lost') return verdictResult(verdict, timeoutMs, text());
    await this.settle(command.runId, timeoutMs, signal);
    return { kind: 'not_started', reason: `how it ended is not known, systemd-run lost it: ${verdict.reason}` };
  }
}

const RUN_ID = /^[a-z0-9-]{1,64}$/;
const SETTLE_POLL_MS = 200;
const ANSWER_LIMIT_MS = 10_000;
/** More than twice the longest TimeoutStopSec. */
const OVERTIME_MS = 15_000;

/** systemd would have SIGPIPE ignored, which is not what a shell line expects. */
const CHECK: readonly string[] = ['IgnoreSIGPIPE=no', 'TimeoutStopSec=2s'];
const ACTION: readonly string[] = ['IgnoreSIGPIPE=no', 'TimeoutStopSec=5s', 'KillMode=process'];

/**
 * With KillMode=process PID 1 ends nobody but the shell. Where that did not exit by itself (time limit, a signal), this ends all
 * the others, whether we live or not. It is in the unit itself, so TERM must not end it, and KILL comes last.
 */
function endsWhole(unit: string): string {
  const byItself = 'case $$SERVICE_RESULT$$EXIT_CODE in successexited|exit-codeexited) exit;; esac';
  const kill = (signal: string): string => `systemctl kill --signal=${signal} ${unit}`;
  return `ExecStopPost=-/bin/sh -c '${byItself}; trap "" TERM; ${kill('TERM')}; sleep 0.5; ${kill('KILL')}'`;
}

/** Starts the run; stdout and stderr of the command go to the end of the file at `path`, or into our pipe. */
function start(
  { runId, description, timeoutMs }: ShellCommand,
  properties: readonly string[],
  argv: readonly string[],
  path?: string,
): Promise<StartResult> {
  // stderr as it is given to the unit is left to the words of systemd-run.
  const become = `exec 3>&2 ${path === undefined ? '' : '>>"$0" '}2>&1 && echo '${BEGUN}' >&3 && exec "$@" 3>&-`;
  const unit = {
    unit: runUnit(runId),
    description: `monitor_service: ${description}`,
    properties: [`RuntimeMaxSec=${Math.max(Math.ceil(timeoutMs), 1)}ms`, ...properties],
    argv: ['/bin/sh', '-c', become, path ?? 'sh', ...argv],
  };
  return startProgram('systemd-run', systemdRunArgv(unit, ['--wait', '--pipe', '--collect']), {
    environment: { ...minimalEnvironment(), ...PLAIN },
    cwd: '/',
    output: 'pipe',
  });
}

/** Ends a run whole, and then systemd-run, where that does not see it. */
async function end(program: StartedProgram, unit: string, words: () => string): Promise<void> {
  const over = new AbortController();
  const ended = program.ended.then(() => over.abort());
  // Stopped before systemd has heard of it, it would begin after.
  for (let waited = 0; waited < BEGIN_MS && !isUnderWay(words()) && !over.signal.aborted; waited += BEGIN_POLL_MS) {
    await delay(BEGIN_POLL_MS);
  }
  await endUnit(unit);
  await Promise.race([ended, delay(LEAVE_MS, undefined, { signal: over.signal }).catch(() => {})]);
  if (!over.signal.aborted) await killProgram(program);
}

const BEGIN_MS = 5000;
const BEGIN_POLL_MS = 20;
const LEAVE_MS = 2000;
