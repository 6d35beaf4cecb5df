import { storedAlarm } from '../../src/core/alarm.ts';
import { EventBus } from '../../src/core/events.ts';
import type { Logger } from '../../src/core/logger.ts';
import { createMonitor, type MonitorGraph } from '../../src/monitor/create-monitor.ts';
import type { MonitorConfig } from '../../src/monitor/current-config.ts';
import { Incidents } from '../../src/monitor/incidents/incidents.ts';
import { heardStore } from '../../src/monitor/poll/heard-store.ts';
import type { DaemonState } from '../../src/state/daemon-state.ts';
import type { AlarmStore } from '../../src/stores/store.ts';
import { ProcessLook } from '../../src/system/proc/look.ts';
import { Chance } from './chance.ts';
import { clockOf, WorldClock } from './clock.ts';
import { SimulatedCommands } from './commands.ts';
import { SimulatedDisk } from './disk.ts';
import { SimulatedKernel, type SimulatedProcess } from './kernel.ts';
import { CutOff, Life } from './life.ts';
import { noTrouble, SimulatedPid1, type Trouble } from './pid1.ts';
import { leftIll, PromiseModel } from './promise.ts';
import { drawScenario, hasUnit, type Program, type Scenario } from './scenario.ts';
import { drawSteps, type Step } from './steps.ts';
import { noStoreTrouble, SimulatedStore } from './store.ts';

/** How one run went. */
export interface RunResult {
  /** What was not as promised; undefined: everything was. */
  readonly broken: string | undefined;
  readonly steps: readonly Step[];
  /** What happened, a line each, if that was asked for. */
  readonly trace: readonly string[];
  /** What the daemon did. */
  readonly counts: Readonly<Record<string, number>>;
}

/** How a run is to go: `only`: with these of its steps; `traced`: everything that happens is written down. */
export interface RunOptions {
  readonly only?: ReadonlySet<number>;
  readonly traced?: boolean;
}

/** One run: a scenario, what happens to it, and then the time in which everything has to get well. */
export async function runOnce(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const scenario = drawScenario(seed);
  const all = drawSteps(seed, scenario);
  const steps = all.filter(({ number }) => options.only?.has(number) ?? true);
  const world = new World(seed, scenario, options.traced ?? false);
  let broken: string | undefined;
  try {
    broken = await world.live(steps);
  } catch (error) {
    broken = `the simulation itself failed: ${error instanceof Error ? error.stack : error}`;
  }
  return { broken, steps, trace: world.trace, counts: world.counts };
}

/** One life of the daemon, with what it is made of. */
interface Daemon {
  readonly life: Life;
  readonly graph: MonitorGraph;
  readonly state: DaemonState;
  readonly config: { current(): MonitorConfig };
  readonly stopping: AbortController;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  readonly reload: (variant: number, store: SimulatedStore) => void;
}

/** Everything has to be well so long after the last trouble. */
const PATIENCE_MS = 2_400_000;

class World {
  readonly trace: string[] = [];
  readonly counts: Record<string, number> = {};
  readonly #scenario: Scenario;
  readonly #traced: boolean;
  readonly #chance: Chance;
  readonly #clock = new WorldClock();
  readonly #kernel = new SimulatedKernel(this.#clock);
  readonly #disk = new SimulatedDisk();
  readonly #troubles = new Map<string, Trouble>();
  readonly #pid1: SimulatedPid1;
  readonly #commands: SimulatedCommands;
  readonly #stores: readonly SimulatedStore[];
  readonly #model: PromiseModel;
  readonly #supervisors = new Map<string, SimulatedProcess>();
  #store: SimulatedStore;
  #variant = 0;
  #daemon: Daemon | undefined;
  #lives = 0;
  #boots = 1;
  #notes = 0;
  #isQuiet = false;

  constructor(seed: number, scenario: Scenario, traced: boolean) {
    this.#scenario = scenario;
    this.#traced = traced;
    this.#chance = new Chance(seed ^ 0x3071d);
    const { programs } = scenario;
    const trouble = (program: string): Trouble => this.#troubles.get(program) ?? noTrouble();
    for (const { name } of programs) this.#troubles.set(name, noTrouble());
    const machine = { clock: this.#clock, kernel: this.#kernel, chance: this.#chance, trouble };
    this.#pid1 = new SimulatedPid1(programs.filter(hasUnit), machine);
    this.#commands = new SimulatedCommands(programs, machine, this.#pid1);
    this.#stores = [new SimulatedStore(this.#clock, this.#chance), new SimulatedStore(this.#clock, this.#chance)];
    this.#store = this.#stores[0]!;
    this.#fill();
    const parts = { scenario, clock: this.#clock, kernel: this.#kernel, pid1: this.#pid1 };
    this.#model = new PromiseModel({ ...parts, store: () => this.#store });
    this.#kernel.onDeath = (one) => this.#died(one);
    for (const store of this.#stores) store.onLateAlarm = (name) => this.#model.raised(name ?? '');
    this.#boot();
  }

  /** What was not as promised; undefined: everything was. */
  async live(steps: readonly Step[]): Promise<string | undefined> {
    await this.#clock.pass(5000);
    this.#start();
    for (const step of steps) {
      await this.#pass(step.afterMs);
      if (this.#model.broken !== undefined) return this.#model.broken;
      this.#tell(`--- ${step.kind} ${JSON.stringify(step)}`);
      this.#happen(step);
    }
    await this.#pass(20_000);
    if (this.#daemon !== undefined) this.#daemon.life.endsAtCall = Number.POSITIVE_INFINITY;
    // Whoever releases the holds needs one who listens.
    while (!this.#daemon?.life.isAlive || this.#daemon.stopping.signal.aborted) await this.#pass(5000);
    this.#calm();
    const endMs = this.#clock.nowMs + PATIENCE_MS;
    for (;;) {
      if (this.#model.broken !== undefined) return this.#model.broken;
      const left = this.#left();
      if (left === undefined) break;
      if (this.#clock.nowMs > endMs) return `not healed at the end: ${left}`;
      await this.#pass(10_000);
      for (const { name } of this.#scenario.programs) this.#raiseIfUnnoticed(name);
    }
    this.#daemon?.stopping.abort();
    this.#daemon?.abort.abort();
    this.#daemon?.life.end();
    return undefined;
  }

  #left(): string | undefined {
    const daemon = this.#daemon;
    if (daemon === undefined || !daemon.life.isAlive) return 'the daemon is not up';
    const parts = { kernel: this.#kernel, store: () => this.#store };
    return leftIll(this.#scenario.programs, parts, daemon.graph, daemon.state.journal.list());
  }

  async #pass(ms: number): Promise<void> {
    await this.#clock.pass(ms);
    const daemon = this.#daemon;
    if (daemon?.life.isAlive)
      this.#model.look(
        daemon.life,
        daemon.graph,
        daemon.config.current().monitor.mode === 'observe' || daemon.stopping.signal.aborted,
      );
  }

  /** All troubles are over, and nobody does anything any more. */
  #calm(): void {
    this.#isQuiet = true;
    this.#tell('--- calm');
    this.#store = this.#stores[0]!;
    for (const store of this.#stores) store.trouble = noStoreTrouble();
    Object.assign(this.#pid1, { silentUntilMs: 0, slowMs: 0 });
    this.#kernel.isUnreadable = false;
    for (const trouble of this.#troubles.values()) Object.assign(trouble, noTrouble());
    for (const one of this.#kernel.processes) if (one.isStranger || one.isByHand) this.#kernel.exit(one);
    for (const row of this.#store.rows.values()) {
      // What does not run, or not well, is told of by somebody in the end.
      const copies = this.#kernel.copiesOf(row.processName ?? '');
      if (copies.length !== 1 || copies[0]?.isSick) this.#raise(row.processId);
      if (row.sound) this.#store.change(() => Object.assign(row, { sound: false }));
      this.#model.raised(row.processName ?? '');
    }
    this.#model.trouble(0);
    this.#model.holds.clear();
    this.#daemon?.graph.holds.release(undefined);
    this.#daemon?.reload(0, this.#store);
  }

  #happen(step: Step): void {
    const { nowMs } = this.#clock;
    const daemon = this.#daemon?.life.isAlive && !this.#daemon.stopping.signal.aborted ? this.#daemon : undefined;
    switch (step.kind) {
      case 'dies':
        for (const copy of this.#kernel.copiesOf(step.program)) this.#kernel.exit(copy);
        if (step.raiseInMs !== undefined) this.#clock.in(step.raiseInMs, () => this.#raiseOf(step.program));
        return;
      case 'sickens':
        for (const copy of this.#kernel.copiesOf(step.program)) copy.isSick = true;
        this.#model.raised(step.program);
        this.#clock.in(step.raiseInMs, () => this.#raiseOf(step.program));
        return;
      case 'raise':
        this.#raiseOf(step.program);
        return;
      case 'detector':
        this.#model.raised(step.program);
        this.#guarded(() => daemon?.graph.alarms.raise(step.program, `exited, notice ${this.#notes++}`, 'exit'));
        return;
      case 'others_clear':
        for (const row of this.#rowsOf(step.program))
          this.#store.change(() => Object.assign(row, { alarma: false, notes: 'mended by hand' }));
        return;
      case 'acknowledge':
        for (const row of this.#rowsOf(step.program)) this.#store.change(() => Object.assign(row, { sound: !row.sound }));
        this.#model.raised(step.program);
        return;
      case 'new_notes':
        for (const row of this.#rowsOf(step.program))
          this.#store.change(() => Object.assign(row, { notes: `notice ${this.#notes++}` }));
        this.#model.raised(step.program);
        return;
      case 'store_fault': {
        const { trouble } = this.#store;
        trouble[step.onlyWrites ? 'writeFault' : 'fault'] = step.fault;
        this.#model.trouble(step.forMs);
        this.#clock.in(step.forMs, () => {
          trouble[step.onlyWrites ? 'writeFault' : 'fault'] = undefined;
        });
        return;
      }
      case 'store_slow':
      case 'store_lags': {
        const { trouble } = this.#store;
        const key = step.kind === 'store_slow' ? 'slowMs' : 'lagMs';
        trouble[key] = step.byMs;
        this.#model.trouble(step.forMs + step.byMs * 2);
        this.#clock.in(step.forMs, () => {
          trouble[key] = 0;
        });
        return;
      }
      case 'failover': {
        const store = this.#store;
        store.trouble.fault = 'unreachable';
        this.#model.trouble(step.awayMs);
        this.#clock.in(step.awayMs, () => {
          store.trouble.fault = undefined;
          store.node = store.node === 'db1' ? 'db2' : 'db1';
        });
        return;
      }
      case 'pid1_silent':
        this.#pid1.silentUntilMs = nowMs + step.forMs;
        this.#pid1.troubledAtMs = nowMs;
        this.#model.trouble(step.forMs);
        return;
      case 'pid1_slow':
        this.#pid1.slowMs = step.byMs;
        this.#model.trouble(step.forMs);
        this.#clock.in(step.forMs, () => {
          this.#pid1.slowMs = 0;
        });
        return;
      case 'table_unreadable':
        if (!this.#kernel.isUnreadable) this.#kernel.unreadableSinceMs = nowMs;
        this.#kernel.isUnreadable = true;
        this.#model.trouble(step.forMs);
        this.#clock.in(step.forMs, () => {
          this.#kernel.isUnreadable = false;
        });
        return;
      case 'starts_go_wrong':
        (this.#troubles.get(step.program) ?? noTrouble())[step.how] += step.times;
        return;
      case 'stranger':
        this.#passing({ name: step.program, uid: 1000, isStranger: true }, step.livesMs);
        return;
      case 'newcomer':
        this.#passing({ name: 'newcomer', uid: 1000, isStranger: true }, step.livesMs);
        return;
      case 'by_hand':
        if (this.#pid1.units.has(`${step.program}.service`) && this.#kernel.copiesOf(step.program).length === 0)
          this.#passing(
            {
              name: step.program,
              program: step.program,
              isByHand: true,
              argv: [`/opt/simulated/${step.program}`],
              cgroup: '/user.slice/user-0.slice/session-1.scope',
            },
            step.livesMs,
          );
        return;
      case 'hold': {
        const { program, forMs } = step;
        this.#guarded(() => {
          if (daemon === undefined) return;
          daemon.graph.holds.set(program, forMs, 'simulated');
          this.#model.holds.set(program, {
            sinceMs: nowMs,
            untilMs: forMs === undefined ? Number.POSITIVE_INFINITY : nowMs + forMs,
          });
        });
        return;
      }
      case 'release':
        this.#guarded(() => {
          if (daemon === undefined) return;
          this.#model.holds.clear();
          daemon.graph.holds.release(undefined);
        });
        return;
      case 'order':
        if (daemon !== undefined) this.#order(daemon, step.program);
        return;
      case 'reload':
        if (daemon === undefined) return;
        this.#store = this.#stores[step.otherStore ? 1 : 0]!;
        this.#variant = step.variant;
        this.#model.trouble(0);
        this.#guarded(() => daemon.reload(step.variant, this.#store));
        return;
      case 'crash':
        this.#crash(step.atCall, step.downMs, step.power);
        return;
      case 'stop':
        if (daemon !== undefined) this.#stop(daemon, step.isHasty, step.downMs);
        return;
      default:
        step satisfies never;
    }
  }

  #passing(birth: Parameters<SimulatedKernel['spawn']>[0], livesMs: number): void {
    const one = this.#kernel.spawn(birth);
    this.#clock.in(livesMs, () => this.#kernel.exit(one));
  }

  /** What is done to a daemon that may die of it. */
  #guarded(act: () => unknown): void {
    try {
      const done = act();
      if (done instanceof Promise) done.catch(() => {});
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
    }
  }

  #order({ graph }: Daemon, program: string): void {
    const over = this.#model.ordered(program);
    const rows = this.#rowsOf(program).map((row) => storedAlarm({ ...row }));
    this.#guarded(() => graph.handler.order(program, rows).finally(over));
  }

  #crash(atCall: number, downMs: number, power: boolean): void {
    const daemon = this.#daemon;
    if (daemon === undefined || !daemon.life.isAlive) return;
    this.#onEnd = () => {
      this.#tell(`=== life ${daemon.life.number} ends ${power ? 'with the power' : ''}`);
      this.#model.crashed(daemon.life, power);
      this.#model.trouble(downMs + 2000);
      if (power) this.#powerCut();
      this.#clock.in(downMs + 1, () => this.#start());
    };
    if (atCall === 0) daemon.life.end();
    else daemon.life.endsAtCall = daemon.life.calls + atCall;
  }

  #onEnd: () => void = () => {};

  #stop(daemon: Daemon, isHasty: boolean, downMs: number): void {
    daemon.stopping.abort();
    if (isHasty) daemon.abort.abort();
    this.#model.trouble(downMs + 60_000);
    this.#clock.in(20_000, () => daemon.abort.abort());
    void daemon.ended.then(() => {
      if (!daemon.life.isAlive) return;
      this.#tell(`=== life ${daemon.life.number} ends in order`);
      this.#onEnd = () => {};
      daemon.life.end();
      this.#model.forget();
      this.#model.trouble(downMs + 2000);
      this.#clock.in(downMs, () => this.#start());
    });
  }

  #powerCut(): void {
    this.#disk.cutPower();
    this.#boots++;
    this.#commands.clear();
    this.#kernel.clear();
    this.#pid1.apps.clear();
    this.#boot();
  }

  /** The machine comes up: units, what supervisors keep, and what is started otherwise. */
  #boot(): void {
    for (const unit of this.#pid1.units.values()) unit.boot();
    for (const program of this.#scenario.programs) {
      if (hasUnit(program)) continue;
      if (program.supervisorMs !== undefined)
        this.#supervisors.set(
          program.name,
          this.#kernel.spawn({ name: 'supervisord', cgroup: '/system.slice/supervisord.service' }),
        );
      this.#bringUp(program);
    }
  }

  #bringUp({ name, termMs }: Program): void {
    const supervisor = this.#supervisors.get(name);
    const where = supervisor === undefined ? {} : { ppid: supervisor.pid, cgroup: supervisor.cgroup };
    this.#kernel.spawn({ name, program: name, termMs, ...where });
  }

  #died(one: SimulatedProcess): void {
    if (one.program === undefined) return;
    this.#tell(`pid ${one.pid} (${one.name}) has ended`);
    this.#model.ended(one.program);
    const program = this.#scenario.programs.find(({ name }) => name === one.program);
    if (program?.supervisorMs === undefined || one.isByHand) return;
    this.#clock.in(program.supervisorMs, () => {
      if (this.#kernel.copiesOf(program.name).length === 0 && this.#supervisors.get(program.name)?.isAlive)
        this.#bringUp(program);
    });
  }

  #fill(): void {
    let id = 0;
    for (const store of this.#stores)
      for (const { name, rows } of this.#scenario.programs)
        for (let i = 0; i < rows; i++) {
          const processId = String(++id);
          store.rows.set(processId, {
            processId,
            processName: name,
            alarma: false,
            sound: false,
            notes: null,
            notesDigest: null,
          });
        }
  }

  #rowsOf(program: string) {
    return [...this.#store.rows.values()].filter(({ processName }) => processName === program);
  }

  /** Somebody tells of it in the end. */
  #raiseIfUnnoticed(program: string): void {
    const rows = this.#rowsOf(program);
    const isUnnoticed = this.#kernel.copiesOf(program).length === 0 || this.#model.isOverlooked(program);
    if (isUnnoticed && rows.every(({ alarma }) => !alarma)) this.#raise(rows[0]?.processId ?? '');
  }

  #raiseOf(program: string): void {
    if (this.#isQuiet) return;
    const rows = this.#rowsOf(program);
    this.#raise(this.#chance.one(rows).processId);
  }

  #raise(processId: string): void {
    const row = this.#store.rows.get(processId);
    if (row === undefined) return;
    this.#tell(`somebody raises the alarm of ${row.processName} (row ${processId})`);
    this.#model.raised(row.processName ?? '');
    this.#store.change(() => Object.assign(row, { alarma: true, notes: `notice ${this.#notes++}` }));
  }

  /** The next life of the daemon begins. */
  #start(): void {
    const number = ++this.#lives;
    const life = new Life(number, () => this.#onEnd());
    this.#onEnd = () => {};
    this.#tell(`=== life ${number} begins`);
    const clock = clockOf(
      this.#clock,
      () => life.isAlive,
      () => life.enter(),
    );
    const state = this.#disk.open(life, clock, `boot ${this.#boots}`);
    const log = this.#log(life);
    const onError = (error: unknown): void => {
      if (!(error instanceof CutOff)) throw error;
    };
    const events = new EventBus(clock, onError, new Incidents(state.incidents));
    const acts = (by: Life, program: string, what: string): (() => void) => {
      this.#tell(`daemon: ${what} (${program})`);
      this.#count(what.split(' ')[0] ?? what);
      return this.#model.acts(by, program, what);
    };
    const commands = this.#commands.runner(life, acts);
    const table = this.#kernel.table(life);
    const { launches, pins, roots, unitsWithProcesses } = state;
    const planParts = {
      ...{ commands, clock, log, launches, pins, roots, unitsWithProcesses, table },
      services: this.#pid1.manager(life, acts),
      programs: this.#commands.launcher(life, acts),
      look: () => ProcessLook.take(table),
      names: {} as never,
    };
    let current: MonitorConfig;
    const config = { current: () => current };
    const stopping = new AbortController();
    const abort = new AbortController();
    let graph: MonitorGraph;
    try {
      graph = createMonitor({
        ...{ config, state, commands, clock, events, log },
        follower: { afterRecovery: () => {} },
        random: () => this.#chance.share(),
        stopping: stopping.signal,
        abort: abort.signal,
        onHeartbeat: () => {},
        heartbeatMs: 1_000_000,
      });
    } catch (error) {
      if (error instanceof CutOff) return;
      throw error;
    }
    const openStore = (store: SimulatedStore): AlarmStore => {
      const opened = store.open(life, (by, processId, row, how) => this.#heard(by, store, processId, row, how));
      return heardStore(opened, clock, graph.monitor);
    };
    const load = (variant: number, store: AlarmStore): MonitorConfig => {
      const settings = this.#scenario.settings(variant);
      const { monitor, processNames } = settings;
      this.#model.clears = monitor.clearAlarm;
      return { monitor, processNames, plans: settings.createPlans(planParts), store };
    };
    let currentStore = this.#store;
    current = load(this.#variant, openStore(currentStore));
    events.subscribe((event) => {
      if (!life.isAlive) return;
      this.#count(event.type);
      this.#model.event(life, graph, state, event);
    });
    const reload = (variant: number, store: SimulatedStore): void => {
      const before = current.store;
      const isSame = store === currentStore;
      if (!isSame) this.#model.switchedStore();
      current = load(variant, isSame ? before : openStore(store));
      currentStore = store;
      graph.targets.forget();
      graph.monitor.wake();
      if (!isSame) void before.close();
    };
    const ended = graph.monitor.run(stopping.signal).then(() => graph.handler.idle());
    ended.catch(() => {});
    this.#daemon = { life, graph, state, config, stopping, abort, ended, reload };
  }

  #heard(life: Life, store: SimulatedStore, ...[processId, row, how]: Parameters<PromiseModel['heard']>): void {
    if (life.isAlive && store === this.#store) this.#model.heard(processId, row, how);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #tell(line: string): void {
    if (this.#traced) this.trace.push(`${this.#clock.nowMs}  ${line}`);
  }

  #log(life: Life): Logger {
    const write =
      (level: string) =>
      (message: string): void => {
        if (message.startsWith('Internal error') && life.isAlive && !message.includes('the daemon is dead'))
          this.#model.broken ??= message;
        if (this.#traced && life.isAlive) this.trace.push(`${this.#clock.nowMs}    ${level}: ${message}`);
      };
    return { debug: write('debug'), info: write('info'), warning: write('warning'), error: write('error') };
  }
}
