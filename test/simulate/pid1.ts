import type {
  ServiceCallResult,
  ServiceManager,
  ServiceVerb,
  UnitProgram,
  UnitRelations,
  UnitStatus,
} from '../../src/system/systemd/service-manager.ts';
import { appUnit } from '../../src/system/systemd/unit/name.ts';
import { endOf, noRelations, noUnit } from '../helpers/fake-systemd.ts';
import type { Chance } from './chance.ts';
import type { TakeBack, WorldClock } from './clock.ts';
import type { SimulatedKernel, SimulatedProcess } from './kernel.ts';
import type { Life } from './life.ts';
import type { Program } from './scenario.ts';

/** What goes wrong with a program's next starts: so many fail, hang, are skipped, or do not last. */
export interface Trouble {
  fails: number;
  hangs: number;
  skips: number;
  diesSoon: number;
  /** Stops that hang until they are killed. */
  hangingStops: number;
}

export function noTrouble(): Trouble {
  return { fails: 0, hangs: 0, skips: 0, diesSoon: 0, hangingStops: 0 };
}

/** What PID 1 is part of. */
export interface Machine {
  readonly clock: WorldClock;
  readonly kernel: SimulatedKernel;
  readonly chance: Chance;
  readonly trouble: (program: string) => Trouble;
}

/** Who hears of what the daemon has PID 1 do to a program. `acts` gives what is to be called when that is over. */
export type Acts = (life: Life, program: string, what: string) => () => void;

interface Job {
  readonly verb: 'start' | 'stop' | 'restart';
  readonly end: Promise<ServiceCallResult>;
  readonly settle: (result: ServiceCallResult) => void;
  isOver: boolean;
  /** Of a restart: its stop is done. */
  isStarting: boolean;
  /** Ends a wait of its own. */
  hurry: () => void;
}

/** A service of the simulated machine: jobs take time, fail, hang and are replaced; it dies, and is restarted after RestartSec=. */
export class SimulatedUnit {
  readonly program: Program;
  readonly id: string;
  main: SimulatedProcess | undefined;
  #machine: Machine;
  #state: Pick<UnitStatus, 'activeState' | 'subState' | 'result' | 'changedMs'>;
  #job: Job | undefined;
  #restart: TakeBack = () => {};
  dueMs: number | undefined;

  constructor(program: Program, machine: Machine) {
    this.program = program;
    this.id = `${program.name}.service`;
    this.#machine = machine;
    this.#state = { activeState: 'inactive', subState: 'dead', result: 'success', changedMs: 0 };
  }

  get isUp(): boolean {
    return this.#state.activeState === 'active';
  }

  status(): UnitStatus {
    const main = this.main;
    return {
      ...noUnit,
      ...this.#state,
      id: this.id,
      mainPid: main?.isAlive ? main.pid : 0,
      controlGroup: main?.isAlive ? `/system.slice/${this.id}` : '',
      hasJob: this.#job !== undefined,
    };
  }

  /** One job; who asks for the same joins it, who asks for another replaces it. */
  job(verb: Job['verb']): Promise<ServiceCallResult> {
    const before = this.#job;
    if (before?.verb === verb && !(verb === 'restart' && before.isStarting)) return before.end;
    if (before !== undefined) this.#end(before, { kind: 'failed', reason: 'its job was cancelled' });
    const { promise: end, resolve: settle } = Promise.withResolvers<ServiceCallResult>();
    const job: Job = { verb, end, settle, isOver: false, isStarting: false, hurry: () => {} };
    this.#job = job;
    void this.#carryOut(job);
    return end;
  }

  reset(): void {
    if (this.#state.activeState === 'failed') this.#set('inactive', 'dead', 'success');
  }

  /** SIGKILL for all of it. */
  kill(): void {
    const { main } = this;
    this.#job?.hurry();
    if (main !== undefined) this.#machine.kernel.exit(main);
  }

  /** The machine boots. */
  boot(): void {
    if (this.#job !== undefined) this.#end(this.#job, { kind: 'failed', reason: 'the machine went down' });
    this.#restart();
    this.main = undefined;
    this.#set('inactive', 'dead', 'success');
    void this.job('start');
  }

  async #carryOut(job: Job): Promise<void> {
    this.#restart();
    this.dueMs = undefined;
    if (job.verb !== 'start') {
      await this.#stop(job);
      if (job.isOver) return;
    }
    job.isStarting = true;
    this.#end(job, job.verb === 'stop' ? { kind: 'done' } : await this.#start(job));
  }

  async #stop(job: Job): Promise<void> {
    const { kernel, trouble } = this.#machine;
    const { main, program } = this;
    if (main?.isAlive) {
      main.onExit = () => {};
      this.#set('deactivating', 'stop-sigterm', 'success');
      const troubles = trouble(program.name);
      const isHanging = troubles.hangingStops > 0;
      if (isHanging) troubles.hangingStops--;
      await this.#wait(job, isHanging ? TIMEOUT_MS : program.stopMs);
      if (job.isOver) return;
      kernel.exit(main);
    }
    this.#set('inactive', 'dead', 'success');
  }

  async #start(job: Job): Promise<ServiceCallResult> {
    const { kernel, clock, trouble } = this.#machine;
    const { program } = this;
    if (this.isUp) return { kind: 'done' };
    const troubles = trouble(program.name);
    if (troubles.skips > 0) {
      troubles.skips--;
      return { kind: 'done' };
    }
    // What a start that was replaced has begun.
    if (this.main !== undefined) {
      this.main.onExit = () => {};
      kernel.exit(this.main);
    }
    this.#set('activating', 'start', 'success');
    const main = kernel.spawn({
      name: program.name,
      program: program.name,
      cgroup: `/system.slice/${this.id}`,
      termMs: program.termMs,
    });
    this.main = main;
    main.onExit = () => job.hurry();
    const isHanging = troubles.hangs > 0;
    if (isHanging) troubles.hangs--;
    await this.#wait(job, isHanging ? TIMEOUT_MS : program.startMs);
    main.onExit = () => {};
    if (job.isOver) {
      // Whoever replaced the job stops what it finds.
      return { kind: 'failed', reason: 'its job was cancelled' };
    }
    if (troubles.fails > 0 || isHanging || !main.isAlive) {
      if (troubles.fails > 0 && !isHanging) troubles.fails--;
      kernel.exit(main);
      this.#down('exit-code');
      return { kind: 'failed', reason: 'the control process exited with an error code' };
    }
    this.#set('active', 'running', 'success');
    main.onExit = () => {
      if (this.main === main) this.#down('signal');
    };
    if (troubles.diesSoon > 0) {
      troubles.diesSoon--;
      clock.in(this.#machine.chance.number(50, 1500), () => kernel.exit(main));
    }
    return { kind: 'done' };
  }

  /** Its main process has ended, and nobody had stopped it. */
  #down(result: string): void {
    const { restartSecMs } = this.program;
    const { clock } = this.#machine;
    if (restartSecMs === undefined) {
      this.#set('failed', 'failed', result);
      return;
    }
    this.#set('activating', 'auto-restart', result);
    this.dueMs = clock.nowMs + restartSecMs;
    this.#restart = clock.in(restartSecMs, () => {
      if (this.#job === undefined) void this.job('start');
    });
  }

  async #wait(job: Job, ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const takeBack = this.#machine.clock.in(ms, resolve);
      job.hurry = () => {
        takeBack();
        resolve();
      };
    });
  }

  #end(job: Job, result: ServiceCallResult): void {
    if (job.isOver) return;
    job.isOver = true;
    if (this.#job === job) this.#job = undefined;
    job.settle(result);
    job.hurry();
  }

  #set(activeState: string, subState: string, result: string): void {
    this.#state = { activeState, subState, result, changedMs: this.#machine.clock.nowMs };
  }
}

/** TimeoutStartSec=, TimeoutStopSec=. */
const TIMEOUT_MS = 90_000;
/** For so long an answer is waited for. */
const ANSWER_MS = 5000;
const SILENT = 'systemd does not answer';

/** PID 1 of the simulated machine: it answers late or not at all, and its jobs outlive whoever asked for them. */
export class SimulatedPid1 {
  readonly units = new Map<string, SimulatedUnit>();
  /** Started by the daemon, by unit. */
  readonly apps = new Map<string, SimulatedProcess>();
  silentUntilMs = 0;
  /** It was silent or slow then. */
  troubledAtMs = Number.NEGATIVE_INFINITY;
  slowMs = 0;
  readonly #machine: Machine;

  constructor(programs: readonly Program[], machine: Machine) {
    this.#machine = machine;
    for (const program of programs) this.units.set(`${program.name}.service`, new SimulatedUnit(program, machine));
  }

  get isSilent(): boolean {
    return this.#machine.clock.nowMs < this.silentUntilMs;
  }

  /** Whether it answers, once it does or nobody waits any more. */
  async answers(signal?: AbortSignal): Promise<boolean> {
    const { clock, chance } = this.#machine;
    if (this.isSilent || this.slowMs > 0) this.troubledAtMs = clock.nowMs;
    const ms = this.isSilent ? Math.min(this.silentUntilMs - clock.nowMs, ANSWER_MS) : chance.time(2, 20) + this.slowMs;
    await waitUnless(clock, ms, signal);
    return !this.isSilent && !(signal?.aborted ?? false);
  }

  /** systemd as one life of the daemon sees it. */
  manager(life: Life, acts: Acts): ServiceManager {
    const ask = <T>(
      signal: AbortSignal | undefined,
      answer: () => T,
    ): Promise<T | { readonly kind: 'failed'; readonly reason: string }> =>
      life.ask(async () => ((await this.answers(signal)) ? answer() : { kind: 'failed', reason: SILENT }));
    return {
      available: true,
      show: (unit, signal) => ask(signal, () => ({ kind: 'status', status: this.#status(unit) }) as const),
      relations: (unit, signal) => ask(signal, () => ({ kind: 'known', relations: this.#relations(unit) }) as const),
      end: (unit, signal) => ask(signal, () => ({ kind: 'known', end: endOf(this.#status(unit)) }) as const),
      signalledEnd: () => undefined,
      program: (unit, signal) => ask(signal, () => ({ kind: 'known', program: this.#program(unit) }) as const),
      killMode: (_unit, signal) => ask(signal, () => ({ kind: 'known', killMode: 'control-group' }) as const),
      remainsAfterExit: (_unit, signal) => ask(signal, () => ({ kind: 'known', remains: false }) as const),
      call: (verb, unit, timeoutMs, signal) => life.ask(() => this.#call({ life, acts }, verb, unit, timeoutMs, signal)),
      kill: (unit, _which, _timeoutMs, signal) =>
        ask(signal, (): ServiceCallResult => {
          this.units.get(unit)?.kill();
          return { kind: 'done' };
        }),
      restartDue: (unit, signal) => ask(signal, () => ({ kind: 'known', dueMs: this.units.get(unit)?.dueMs }) as const),
      conditions: async () => undefined,
      explain: async () => ({ reason: undefined, output: [] }),
      watch: () => () => {},
      contact: () => undefined,
    };
  }

  async #call(
    { life, acts }: { readonly life: Life; readonly acts: Acts },
    verb: ServiceVerb,
    name: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ServiceCallResult> {
    const unit = this.units.get(name);
    const answers = await this.answers(signal);
    if (!answers && this.isSilent && unit !== undefined) this.#later(() => void this.#carryOut(verb, unit));
    if (!answers) return { kind: 'failed', reason: SILENT };
    if (unit === undefined) return { kind: 'failed', reason: `Unit ${name} not found.` };
    if (verb === 'reset-failed') return this.#carryOut(verb, unit);
    if (!life.isAlive) return { kind: 'failed', reason: 'nobody asks any more' };
    const over = acts(life, unit.program.name, `${verb} ${name}`);
    const ended = new AbortController();
    const job = this.#carryOut(verb, unit).finally(() => ended.abort('ended'));
    const limit = waitUnless(this.#machine.clock, timeoutMs, AbortSignal.any([ended.signal, signal])).then(
      (): ServiceCallResult => ({ kind: 'failed', reason: signal.aborted ? 'aborted' : `still running after ${timeoutMs} ms` }),
    );
    return Promise.race([job, limit.then((result) => (ended.signal.aborted ? job : result))]).finally(over);
  }

  async #carryOut(verb: ServiceVerb, unit: SimulatedUnit): Promise<ServiceCallResult> {
    if (verb !== 'reset-failed') return unit.job(verb === 'stop-alone' ? 'stop' : verb);
    unit.reset();
    return { kind: 'done' };
  }

  /** What was asked of it while it was silent it does once it is not, though nobody waits for it any more. */
  #later(act: () => void): void {
    this.#machine.clock.in(this.silentUntilMs - this.#machine.clock.nowMs, act);
  }

  #status(name: string): UnitStatus {
    const unit = this.units.get(name);
    if (unit !== undefined) return unit.status();
    const app = this.apps.get(name);
    if (app === undefined) return { ...noUnit, id: name, loadState: 'not-found' };
    return app.isAlive
      ? {
          ...noUnit,
          id: name,
          activeState: 'active',
          subState: 'running',
          mainPid: app.pid,
          controlGroup: `/system.slice/${name}`,
        }
      : { ...noUnit, id: name, activeState: 'active', subState: 'exited', remainsAfterExit: true };
  }

  #program(name: string): UnitProgram {
    const unit = this.units.get(name);
    const nothing = { path: '', argv: [], user: '', beganMs: 0, overMs: 0, definedBy: '' };
    if (unit === undefined) return nothing;
    const path = `/opt/simulated/${unit.program.name}`;
    return { ...nothing, path, argv: [path], ...(unit.main !== undefined && { lastMainPid: unit.main.pid }) };
  }

  #relations(name: string): UnitRelations {
    return { ...noRelations, unitFileState: this.units.has(name) ? 'enabled' : '' };
  }
}

/** The name of the unit that a launched program gets. */
export function unitOfApp(program: string): string {
  return appUnit(program);
}

/** Resolves in `ms` milliseconds, or at once when the signal aborts. */
export function waitUnless(clock: WorldClock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      takeBack();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const takeBack = clock.in(ms, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}
