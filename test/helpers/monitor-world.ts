import { isSameNotes, type ProcessRow, storedAlarm } from '../../src/core/alarm.ts';
import type { MonitorSettings, RecoverySettings } from '../../src/core/config.ts';
import { StoreError } from '../../src/core/errors.ts';
import { type EmittedEvent, EventBus, type MonitorEvent } from '../../src/core/events.ts';
import type { Logger, LogLevel } from '../../src/core/logger.ts';
import type { CheckResult } from '../../src/core/outcomes.ts';
import type { HealthCheck } from '../../src/health/health-check.ts';
import { createMonitor, type MonitorGraph } from '../../src/monitor/create-monitor.ts';
import { Incidents } from '../../src/monitor/incidents/incidents.ts';
import { heardStore } from '../../src/monitor/poll/heard-store.ts';
import type { DaemonState } from '../../src/state/daemon-state.ts';
import type { AlarmStore } from '../../src/stores/store.ts';
import type { RecoveryPlan } from '../../src/strategies/recovery-plan.ts';
import type { AlsoStarts, Explanation, Life, Meaning, RestartAttempt, RestartOutcome } from '../../src/strategies/strategy.ts';
import type { CommandRunner, ShellCommand } from '../../src/system/runs/runner.ts';
import type { CommandResult } from '../../src/system/spawn/command-result.ts';
import { FakeClock } from './fake-clock.ts';
import { memoryState } from './memory-state.ts';

/** How a process of the fake world behaves; functions are asked at each use. */
export interface FakeProcess {
  target?: string;
  configured?: boolean;
  settings?: Partial<RecoverySettings>;
  /** Milliseconds that a restart takes; 100 unless said. */
  restartMs?: number;
  /** Called when a restart begins. */
  begins?: () => void;
  restart?: (attempt: RestartAttempt) => RestartOutcome | Promise<RestartOutcome>;
  /** Health after a restart; healthy unless said. */
  health?: () => CheckResult | { kind: 'assumed' };
  /** What can be said of it where it is not well. */
  explain?: Explanation;
  /** What a second check says, where there is one. */
  otherHealth?: () => CheckResult | Promise<CheckResult>;
  refused?: string;
  /** What runs after a restart, where the strategy can tell. */
  life?: () => Life | undefined;
  /** Why its health check can never pass. */
  checkRefusal?: string;
  /** What its restart starts too. */
  also?: () => AlsoStarts;
  /** What it stands for, where that is not what it resolves to. */
  meaning?: Meaning;
  /** What the look for its target waits for. */
  resolving?: () => Promise<void>;
}

const defaultMonitor: MonitorSettings = {
  checkIntervalMs: 300_000,
  maxRestartFailures: 3,
  circuitResetTimeMs: 1_800_000,
  flapRecoveries: 10,
  flapWindowMs: 3_600_000,
  maxExits: 5,
  exitWindowMs: 300_000,
  maxConcurrentRestarts: 4,
  onlyConfigured: false,
  requirePin: false,
  mode: 'act',
  clearAlarm: true,
  stateDir: '/nonexistent',
};

const defaultRecovery: RecoverySettings = {
  systemName: undefined,
  preRestartCommand: undefined,
  commandTimeoutMs: 60_000,
  healthCheckTimeoutMs: 5000,
  stableTimeMs: 1000,
  restartDelayMs: 2000,
  maxAttempts: 2,
  useBackoff: false,
  backoffMultiplier: 2,
  maxDelayMs: undefined,
  priority: 0,
  dependsOn: [],
};

/** The monitor with everything around it faked but the code under test: time, store, restarts and health are the test's. */
export class MonitorWorld {
  readonly clock = new FakeClock();
  readonly rows = new Map<string, { -readonly [K in keyof ProcessRow]: ProcessRow[K] }>();
  readonly processes = new Map<string, FakeProcess>();
  readonly events: EmittedEvent[] = [];
  readonly lines: { level: LogLevel; message: string }[] = [];
  /** Names in the order in which their restarts began. */
  readonly restarts: string[] = [];
  readonly commandsRun: ShellCommand[] = [];
  readonly state: DaemonState;
  settings: MonitorSettings;
  /** Thrown by the store's next calls of that name while set. */
  storeFault: Partial<Record<keyof AlarmStore, StoreError>> = {};
  /** How many alarms the store takes at once, and what it finds odd. */
  most = Number.MAX_SAFE_INTEGER;
  remarks: readonly string[] = [];
  /** What each clearing waits for, before the row is looked at. */
  clearing: (processId: string) => Promise<unknown> = async () => {};
  commandResult: (command: ShellCommand) => CommandResult = () => ({ kind: 'exited', exitCode: 0, output: '' });
  /** The checks that have found a process failing. */
  furtherChecks: (processName: string) => readonly HealthCheck[] = () => [];
  afterRecovery: (processName: string) => void = () => {};
  readonly stopping = new AbortController();
  readonly abort = new AbortController();
  readonly queue: MonitorGraph['handler'];
  readonly book: MonitorGraph['book'];
  readonly monitor: MonitorGraph['monitor'];
  readonly breakers: MonitorGraph['breakers'];
  readonly exits: MonitorGraph['exitCounts'];
  readonly foresight: MonitorGraph['foresight'];
  readonly holds: MonitorGraph['holds'];
  readonly kept: MonitorGraph['kept'];
  readonly targets: MonitorGraph['targets'];
  readonly alarms: MonitorGraph['alarms'];
  readonly bus: EventBus;

  constructor(settings: Partial<MonitorSettings> = {}, state: DaemonState = memoryState()) {
    this.settings = { ...defaultMonitor, ...settings };
    this.state = state;
    const onError = (error: unknown): void => {
      throw error;
    };
    const bus = new EventBus(this.clock, onError, new Incidents(state.incidents));
    this.bus = bus;
    bus.subscribe((event) => this.events.push(event));
    const write =
      (level: LogLevel) =>
      (message: string): void =>
        void this.lines.push({ level, message });
    const log = { debug: write('debug'), info: write('info'), warning: write('warning'), error: write('error') };
    this.logger = log;
    const commands: CommandRunner = {
      run: async (command) => {
        this.commandsRun.push(command);
        await this.clock.sleep(10);
        return this.commandResult(command);
      },
      waitForRun: async () => 'not_found',
    };
    const plans = (name: string): RecoveryPlan => this.#plan(name);
    const graph = createMonitor({
      config: {
        current: () => ({
          monitor: this.settings,
          processNames: [...this.processes].flatMap(([name, { configured }]) => (configured ? [name] : [])),
          plans,
          store: this.heard,
        }),
      },
      state,
      commands,
      follower: { afterRecovery: (processName) => this.afterRecovery(processName) },
      clock: this.clock,
      events: bus,
      log,
      stopping: this.stopping.signal,
      abort: this.abort.signal,
      onHeartbeat: () => {},
      heartbeatMs: 1_000_000,
    });
    this.queue = graph.handler;
    this.book = graph.book;
    this.monitor = graph.monitor;
    this.breakers = graph.breakers;
    this.foresight = graph.foresight;
    this.holds = graph.holds;
    this.kept = graph.kept;
    this.targets = graph.targets;
    this.alarms = graph.alarms;
    this.exits = graph.exitCounts;
  }

  /** Adds a row in alarm; `how` says how its process behaves. */
  alarm(
    processId: number,
    processName: string | null,
    how?: FakeProcess,
    notes: string | null = null,
    notesDigest: string | null = null,
  ): void {
    this.rows.set(String(processId), {
      processId: String(processId),
      processName,
      alarma: true,
      sound: false,
      notes,
      notesDigest,
    });
    if (processName !== null && how !== undefined) this.processes.set(processName, how);
  }

  /** One poll, and everything that follows from it. */
  async poll(): Promise<void> {
    await this.monitor.tick();
    let idle = false;
    void this.queue.idle().then(() => {
      idle = true;
    });
    await this.clock.until(() => idle);
  }

  /** An operator's order, to its end. */
  async order(processName: string, rows: readonly ProcessRow[] = []): Promise<string> {
    let kind = '';
    void this.queue.order(processName, rows.map(storedAlarm)).then((outcome) => {
      kind = outcome.kind;
    });
    await this.clock.until(() => kind !== '');
    return kind;
  }

  /** Why the alarm of that key was last skipped. */
  skipReason(key: string): string | undefined {
    return this.book.get(key)?.skip?.reason;
  }

  /** As the daemon hands it out to its parts. */
  readonly logger: Logger;

  /** The messages of that level or above, joined for matching. */
  log(level: LogLevel = 'debug'): string {
    const order = ['debug', 'info', 'warning', 'error'];
    return this.lines
      .filter((line) => order.indexOf(line.level) >= order.indexOf(level))
      .map((line) => `[${line.level}] ${line.message}`)
      .join('\n');
  }

  /** Events of one type. */
  seen<T extends MonitorEvent['type']>(type: T): Extract<EmittedEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<EmittedEvent, { type: T }> => event.type === type);
  }

  store: AlarmStore = {
    description: 'fake store',
    readAlarms: async () => {
      this.#mayFail('readAlarms');
      const rows = [...this.rows.values()].filter((row) => row.alarma && !row.sound).map((row) => ({ ...row }));
      return {
        rows: rows.slice(0, this.most),
        leftOut: Math.max(0, rows.length - this.most),
        doubtful: [],
        remarks: this.remarks,
      };
    },
    readProcess: async (processId) => {
      this.#mayFail('readProcess');
      const row = this.rows.get(processId);
      return row && { ...row };
    },
    findProcesses: async (name) => {
      this.#mayFail('findProcesses');
      return [...this.rows.values()].filter((row) => row.processName === name).map((row) => ({ ...row }));
    },
    findHalf: async () => undefined,
    listNames: async () => [...this.rows.values()].flatMap(({ processName }) => processName ?? []),
    clearAlarm: async (seen) => {
      this.#mayFail('clearAlarm');
      await this.clearing(seen.processId);
      const row = this.rows.get(seen.processId);
      if (row === undefined || !row.alarma || row.sound || !isSameNotes(row, seen)) return 'changed';
      row.alarma = false;
      row.notes = `${row.notes ?? ''} - Restarted at`;
      return 'cleared';
    },
    raiseAlarm: async (processId, notes) => {
      this.#mayFail('raiseAlarm');
      const row = this.rows.get(processId);
      if (row === undefined) return 'missing';
      Object.assign(row, { alarma: true, sound: false, ...(notes === undefined ? {} : { notes, notesDigest: null }) });
      return 'raised';
    },
    raiseNewAlarm: async (processId, notes) => {
      this.#mayFail('raiseNewAlarm');
      const row = this.rows.get(processId);
      if (row === undefined) return 'missing';
      if (row.alarma || row.sound) return 'standing';
      Object.assign(row, { alarma: true, notes, notesDigest: null });
      return 'raised';
    },
    dropAlarm: async () => 'missing',
    inspect: async () => ({ server: 'fake', processes: 0, alarms: 0, canClear: true, notes: '', remarks: [] }),
    close: async () => {},
  };

  readonly #heard = new WeakMap<AlarmStore, AlarmStore>();

  /** The store as the monitor uses it. */
  get heard(): AlarmStore {
    const heard = this.#heard.get(this.store) ?? heardStore(this.store, this.clock, this.monitor);
    this.#heard.set(this.store, heard);
    return heard;
  }

  #mayFail(call: keyof AlarmStore): void {
    const fault = this.storeFault[call];
    if (fault !== undefined) throw fault;
  }

  #plan(name: string): RecoveryPlan {
    const how = this.processes.get(name) ?? {};
    const check: HealthCheck = {
      description: 'fake check',
      refusal: () => how.checkRefusal,
      check: async () => (how.health?.() ?? { kind: 'healthy' }) as CheckResult,
    };
    const other = how.otherHealth;
    const assumed = how.health?.().kind === 'assumed';
    return {
      configured: how.configured ?? false,
      settings: { ...defaultRecovery, ...how.settings },
      furtherChecks: (processName) => this.furtherChecks(processName),
      checks: assumed
        ? []
        : [check, ...(other === undefined ? [] : [{ description: 'other check', check: async () => other() }])],
      strategy: {
        name: 'custom',
        resolve: async (process) => {
          await how.resolving?.();
          return how.refused === undefined
            ? { kind: 'target', key: how.target ?? process.systemName, description: `program ${process.systemName}` }
            : { kind: 'refused', reason: how.refused };
        },
        restart: async (attempt) => {
          this.restarts.push(name);
          how.begins?.();
          await this.clock.sleep(how.restartMs ?? 100, attempt.signal);
          return how.restart?.(attempt) ?? { kind: 'restarted', detail: 'fake restart' };
        },
        checkHealth: async () => ({ kind: 'assumed' }),
        ...(how.meaning === undefined ? {} : { means: async () => how.meaning as Meaning }),
        alsoStarts: async () => how.also?.() ?? { kind: 'known', units: [] },
        life: async () => how.life?.(),
        explain: async () => how.explain ?? { reason: undefined, output: [] },
        preview: async () => ({ stops: [], starts: [], refusals: [] }),
      },
    };
  }
}

/** A fault of the fake store. */
export function storeError(fault: StoreError['fault']): StoreError {
  return new StoreError(fault, `fake ${fault}`);
}
