import type { Launch, LaunchResult, ProgramLauncher } from '../../src/system/launch/launcher.ts';
import type { CommandRunner, ShellCommand } from '../../src/system/runs/runner.ts';
import type { CommandResult } from '../../src/system/spawn/command-result.ts';
import type { Life } from './life.ts';
import { type Acts, type Machine, type SimulatedPid1, unitOfApp, waitUnless } from './pid1.ts';
import type { Program } from './scenario.ts';

interface Run {
  readonly end: Promise<CommandResult>;
  isOver: boolean;
  kill: (result: CommandResult) => void;
}

/** The commands and programs that the daemon has PID 1 start: they go on when it dies. */
export class SimulatedCommands {
  readonly #runs = new Map<string, Run>();
  readonly #machine: Machine;
  readonly #pid1: SimulatedPid1;
  readonly #programs: readonly Program[];
  #boots = 0;

  constructor(programs: readonly Program[], machine: Machine, pid1: SimulatedPid1) {
    this.#programs = programs;
    this.#machine = machine;
    this.#pid1 = pid1;
  }

  /** The machine goes down, and everything that runs with it. */
  clear(): void {
    for (const run of this.#runs.values()) run.kill({ kind: 'lost', reason: 'the machine went down', output: '' });
    this.#runs.clear();
    this.#boots++;
  }

  /** The runner as one life of the daemon has it. */
  runner(life: Life, acts: Acts): CommandRunner {
    return {
      run: (command, signal) => life.ask(() => this.#run(life, acts, command, signal)),
      waitForRun: (runId, timeoutMs, signal) => life.ask(() => this.#settle(runId, timeoutMs, signal)),
    };
  }

  /** The launcher as one life of the daemon has it. */
  launcher(life: Life, acts: Acts): ProgramLauncher {
    return {
      starter: 1,
      unready: (timeoutMs, signal) =>
        life.ask(async () => {
          const endMs = this.#machine.clock.nowMs + timeoutMs;
          while (!(await this.#pid1.answers(signal)))
            if (signal.aborted || this.#machine.clock.nowMs >= endMs) return 'systemd does not answer';
          return undefined;
        }),
      launch: (launch, graceMs, signal) => life.ask(() => this.#launch(life, acts, launch, graceMs, signal)),
      retire: (systemName, _timeoutMs, signal) =>
        life.ask(async () => {
          if (await this.#pid1.answers(signal)) this.#retire(systemName);
          return this.#pid1.apps.get(unitOfApp(systemName))?.isAlive ? 'it still runs' : undefined;
        }),
    };
  }

  #retire(systemName: string): void {
    const unit = unitOfApp(systemName);
    const before = this.#pid1.apps.get(unit);
    if (before !== undefined) this.#machine.kernel.exit(before);
    this.#pid1.apps.delete(unit);
  }

  async #run(life: Life, acts: Acts, command: ShellCommand, signal: AbortSignal): Promise<CommandResult> {
    if (!(await this.#pid1.answers(signal))) return { kind: 'not_started', reason: 'systemd does not answer' };
    if (!life.isAlive) return { kind: 'not_started', reason: 'nobody asks any more' };
    const { clock } = this.#machine;
    const over = command.kind === 'action' ? acts(life, programIn(command), command.line) : () => {};
    const { promise: end, resolve } = Promise.withResolvers<CommandResult>();
    const run: Run = {
      end,
      isOver: false,
      kill: (result) => {
        if (run.isOver) return;
        run.isOver = true;
        over();
        resolve(result);
      },
    };
    this.#runs.set(command.runId, run);
    clock.in(command.timeoutMs, () => run.kill({ kind: 'timed_out', afterMs: command.timeoutMs, output: '' }));
    signal.addEventListener('abort', () => life.isAlive && run.kill({ kind: 'aborted', output: '' }), { once: true });
    void this.#carryOut(command, run);
    return end;
  }

  async #carryOut(command: ShellCommand, run: Run): Promise<void> {
    const { clock, chance, kernel, trouble } = this.#machine;
    const name = programIn(command);
    const ended = (exitCode: number): void => run.kill({ kind: 'exited', exitCode, output: '' });
    const troubles = trouble(name);
    if (command.kind === 'check') {
      await clock.sleep(chance.time(20, 400));
      ended(kernel.copiesOf(name).some(({ isSick }) => !isSick) ? 0 : 1);
      return;
    }
    if (!command.line.startsWith('simulated-restart')) {
      await clock.sleep(chance.time(100, 3000));
      ended(0);
      return;
    }
    await clock.sleep(chance.time(50, 500));
    if (run.isOver) return;
    for (const copy of kernel.copiesOf(name)) kernel.exit(copy);
    const isHanging = troubles.hangs > 0;
    if (isHanging) troubles.hangs--;
    await clock.sleep(isHanging ? 1_000_000 : chance.time(300, 9000));
    if (run.isOver) return;
    if (troubles.fails > 0) {
      troubles.fails--;
      ended(1);
      return;
    }
    const program = this.#programs.find((one) => one.name === name);
    const copy = kernel.spawn({ name, program: name, termMs: program?.termMs ?? 50 });
    if (troubles.diesSoon > 0) {
      troubles.diesSoon--;
      clock.in(chance.number(50, 1500), () => kernel.exit(copy));
    }
    ended(0);
  }

  async #settle(runId: string, timeoutMs: number, signal: AbortSignal): Promise<'not_found' | 'ended'> {
    const { clock } = this.#machine;
    const endMs = clock.nowMs + timeoutMs;
    while (!(await this.#pid1.answers(signal)) && clock.nowMs < endMs && !signal.aborted);
    const run = this.#runs.get(runId);
    if (run === undefined || run.isOver) return 'not_found';
    await Promise.race([run.end, waitUnless(clock, endMs - clock.nowMs, signal)]);
    run.kill({ kind: 'lost', reason: 'it was ended', output: '' });
    return 'ended';
  }

  async #launch(
    life: Life,
    acts: Acts,
    { systemName, runId }: Launch,
    graceMs: number,
    signal: AbortSignal,
  ): Promise<LaunchResult> {
    const { clock, chance, kernel, trouble } = this.#machine;
    const over = acts(life, systemName, 'launch');
    try {
      if (!(await this.#pid1.answers(signal))) return { kind: 'failed', reason: 'systemd does not answer' };
      if (!life.isAlive) return { kind: 'failed', reason: 'nobody asks any more' };
      // The unit of an earlier start is stopped first.
      this.#retire(systemName);
      const boot = this.#boots;
      await clock.sleep(chance.time(10, 200));
      if (boot !== this.#boots) return { kind: 'failed', reason: 'the machine went down' };
      // Its supervisor was faster in this very moment, and has its port.
      if (kernel.copiesOf(systemName).length > 0) return { kind: 'failed', reason: 'it ended at once' };
      const troubles = trouble(systemName);
      if (troubles.skips > 0) {
        troubles.skips--;
        return { kind: 'failed', reason: 'systemd refused it' };
      }
      const program = this.#programs.find((one) => one.name === systemName);
      const copy = kernel.spawn({
        name: systemName,
        program: systemName,
        termMs: program?.termMs ?? 50,
        cgroup: `/system.slice/${unitOfApp(systemName)}`,
        environment: ['PATH=/usr/bin', `MONITOR_RUN_ID=${runId}`, `MONITOR_SYSTEM_NAME=${systemName}`, 'MONITOR_ATTEMPT=1'],
      });
      this.#pid1.apps.set(unitOfApp(systemName), copy);
      if (troubles.diesSoon > 0) {
        troubles.diesSoon--;
        clock.in(chance.number(50, 1500), () => kernel.exit(copy));
      }
      const isFailing = troubles.fails > 0;
      if (isFailing) {
        troubles.fails--;
        kernel.exit(copy);
      }
      await waitUnless(clock, isFailing ? 10 : graceMs, signal);
      return copy.isAlive ? { kind: 'launched', pid: copy.pid } : { kind: 'failed', reason: 'it ended at once' };
    } finally {
      over();
    }
  }
}

/** `web` of `simulated-restart web`. */
function programIn({ line }: ShellCommand): string {
  return line.split(' ').at(-1) ?? '';
}
