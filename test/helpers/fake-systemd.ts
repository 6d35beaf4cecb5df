import type {
  KillingResult,
  ServiceCallResult,
  ServiceManager,
  UnitEnd,
  UnitExplanation,
  UnitProgram,
  UnitRelations,
  UnitStatus,
} from '../../src/system/systemd/service-manager.ts';
import type { FakeClock } from './fake-clock.ts';

/** How a unit of the fake systemd behaves. */
export interface FakeUnitOptions {
  readonly aliases?: readonly string[];
  readonly type?: string;
  readonly loadState?: string;
  readonly remainAfterExit?: boolean;
  /** Where it stands at first; inactive unless said. */
  readonly state?: 'active' | 'inactive' | 'failed';
  readonly result?: string;
  /** How long a start job takes; 10 ms unless said, Infinity: it hangs. */
  readonly startMs?: number;
  /** Only so many starts hang; all unless said. */
  readonly hungStarts?: number;
  /** How long a stop takes; none unless said, Infinity: until it is killed. */
  readonly stopMs?: number;
  /** What is said of it where it is not up. */
  readonly explanation?: UnitExplanation;
  /** Which of its conditions is not met. */
  readonly conditions?: string;
  /** The start job fails. */
  readonly refusesStart?: boolean;
  /** How long it lives once started; for ever unless said. A oneshot has done its work at its start. */
  readonly livesMs?: number | (() => number);
  /** `Restart=always` with this RestartSec. */
  readonly restartMs?: number;
  /** Starts that are allowed until `reset-failed`. */
  readonly startLimit?: number;
  readonly controlGroup?: string;
  readonly mainPid?: number;
  /** What it executes; nothing unless said. */
  readonly program?: Partial<UnitProgram>;
  /** Nothing is known of it unless said. */
  readonly killMode?: string | undefined;
  /** SendSIGKILL=no. */
  readonly forbidsSigkill?: true;
  /** Called when it is stopped while it is active. */
  readonly atStop?: () => void;
  /** How it stands to others; enabled unless said. */
  readonly relations?: Partial<UnitRelations>;
}

/** A systemd of the test's own on a fake clock: units with jobs, crashes, restarts and start limits. */
export class FakeSystemd implements ServiceManager {
  available = true;
  /** Every `call`, as `verb unit`. */
  readonly calls: string[] = [];
  shows = 0;
  /** Set: systemd does not answer. */
  silent: string | undefined;
  readonly #clock: FakeClock;
  readonly #units = new Map<string, FakeUnit>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  add(name: string, options: FakeUnitOptions = {}): FakeUnit {
    const unit = new FakeUnit(name, options, this.#clock);
    for (const each of [name, ...(options.aliases ?? [])]) this.#units.set(each, unit);
    return unit;
  }

  async show(name: string, signal: AbortSignal): ReturnType<ServiceManager['show']> {
    this.shows++;
    await Promise.resolve();
    if (signal.aborted) return { kind: 'failed', reason: 'aborted' };
    if (this.silent !== undefined) return { kind: 'failed', reason: this.silent };
    return { kind: 'status', status: this.#units.get(name)?.status() ?? { ...noUnit, id: name, loadState: 'not-found' } };
  }

  async end(name: string, signal: AbortSignal): ReturnType<ServiceManager['end']> {
    const shown = await this.show(name, signal);
    return shown.kind === 'failed' ? shown : { kind: 'known', end: endOf(shown.status) };
  }

  /** Nothing is told. */
  signalledEnd(): undefined {
    return undefined;
  }

  async relations(name: string, signal: AbortSignal): ReturnType<ServiceManager['relations']> {
    await Promise.resolve();
    if (signal.aborted) return { kind: 'failed', reason: 'aborted' };
    if (this.silent !== undefined) return { kind: 'failed', reason: this.silent };
    return { kind: 'known', relations: this.#units.get(name)?.relations() ?? noRelations };
  }

  async program(name: string, signal: AbortSignal): ReturnType<ServiceManager['program']> {
    await Promise.resolve();
    if (signal.aborted) return { kind: 'failed', reason: 'aborted' };
    if (this.silent !== undefined) return { kind: 'failed', reason: this.silent };
    return { kind: 'known', program: this.#units.get(name)?.program() ?? noProgram };
  }

  async killMode(name: string, signal: AbortSignal): ReturnType<ServiceManager['killMode']> {
    await Promise.resolve();
    if (signal.aborted) return { kind: 'failed', reason: 'aborted' };
    if (this.silent !== undefined) return { kind: 'failed', reason: this.silent };
    return this.#units.get(name)?.killing ?? { kind: 'known', killMode: '' };
  }

  async remainsAfterExit(name: string, signal: AbortSignal): ReturnType<ServiceManager['remainsAfterExit']> {
    await Promise.resolve();
    if (signal.aborted) return { kind: 'failed', reason: 'aborted' };
    if (this.silent !== undefined) return { kind: 'failed', reason: this.silent };
    return { kind: 'known', remains: this.#units.get(name)?.status().remainsAfterExit ?? false };
  }

  async kill(name: string, which: string): Promise<ServiceCallResult> {
    this.calls.push(`kill ${which} ${name}`);
    this.#units.get(name)?.kill();
    return { kind: 'done' };
  }

  async restartDue(name: string): ReturnType<ServiceManager['restartDue']> {
    if (this.silent !== undefined) return { kind: 'failed', reason: this.silent };
    return { kind: 'known', dueMs: this.#units.get(name)?.dueMs };
  }

  async conditions(name: string): Promise<string | undefined> {
    return this.#units.get(name)?.conditions;
  }

  async explain(name: string): Promise<UnitExplanation> {
    return this.#units.get(name)?.explanation ?? { reason: undefined, output: [] };
  }

  /** Nothing is told: whoever watches has to look by himself. */
  watch(): () => void {
    return () => {};
  }

  contact(): undefined {
    return undefined;
  }

  async call(verb: string, name: string, timeoutMs: number, signal: AbortSignal): Promise<ServiceCallResult> {
    this.calls.push(`${verb} ${name}`);
    const unit = this.#units.get(name);
    if (this.silent !== undefined || unit === undefined)
      return { kind: 'failed', reason: this.silent ?? `Unit ${name} not found.` };
    const over = new AbortController();
    const job = unit.job(verb).finally(() => over.abort());
    const limit = this.#clock.sleep(timeoutMs, AbortSignal.any([over.signal, signal])).then(
      (): ServiceCallResult => ({
        kind: 'failed',
        reason: signal.aborted ? 'aborted' : `still running after ${timeoutMs} ms`,
      }),
    );
    return Promise.race([job, limit.then(async (result) => (over.signal.aborted ? job : result))]);
  }
}

/** A unit of systemd's that is loaded, and nothing more. */
export const noUnit: UnitStatus = {
  id: '',
  loadState: 'loaded',
  activeState: 'inactive',
  subState: 'dead',
  result: 'success',
  mainPid: 0,
  type: 'simple',
  controlGroup: '',
  hasJob: false,
  endedByStop: false,
  remainsAfterExit: false,
  changedMs: 0,
};

/** How a unit that stands so came to it: nobody has seen that, and it has forgotten it. */
export function endOf(status: UnitStatus, changes: Partial<UnitEnd> = {}): UnitEnd {
  return {
    status,
    leftActiveMs: 0,
    wentMs: 0,
    triedSince: false,
    hadMain: false,
    stoppedWith: [],
    seen: undefined,
    ...changes,
  };
}

/** A unit that stands by itself. */
export const noRelations: UnitRelations = {
  unitFileState: '',
  requires: [],
  bindsTo: [],
  upholds: [],
  wants: [],
  requiredBy: [],
  wantedBy: [],
  triggeredBy: [],
  requisiteOf: [],
  boundBy: [],
  consistsOf: [],
  stopsToo: [],
  conflicts: [],
  actions: [],
  startedAtEnd: [],
};

const noProgram: UnitProgram = { path: '', argv: [], user: '', beganMs: 0, overMs: 0, definedBy: '' };

/** One unit; the test may put it into a state with `set`. */
export class FakeUnit {
  readonly #options: FakeUnitOptions;
  readonly #clock: FakeClock;
  #status: UnitStatus;
  #starts = 0;
  #hung = 0;
  #life = new AbortController();
  #starting: Promise<ServiceCallResult> | undefined;
  #stopping: Promise<void> | undefined;
  /** Ends a start that hangs, or a stop. */
  #replace = (): void => {};
  #killed = (): void => {};
  /** When Restart= starts it again. */
  dueMs: number | undefined;
  static #pid = 1_000_000;

  constructor(id: string, options: FakeUnitOptions, clock: FakeClock) {
    this.#options = options;
    this.#clock = clock;
    const { state = 'inactive', type = 'simple', loadState = 'loaded', result = 'success', controlGroup = '' } = options;
    const { remainAfterExit: remainsAfterExit = false, mainPid = 0 } = options;
    const how = { type, loadState, controlGroup, result, remainsAfterExit };
    this.#status = { ...noUnit, id, ...how, activeState: state, mainPid, changedMs: clock.monotonicMs() };
    if (state === 'active') this.#live();
  }

  status(): UnitStatus {
    return this.#status;
  }

  get killing(): KillingResult {
    const { killMode = '', forbidsSigkill } = this.#options;
    return { kind: 'known', killMode, ...(forbidsSigkill && { forbidsSigkill }) };
  }

  relations(): UnitRelations {
    return { ...noRelations, unitFileState: 'enabled', ...this.#options.relations };
  }

  get conditions(): string | undefined {
    return this.#options.conditions;
  }

  get explanation(): UnitExplanation | undefined {
    return this.#options.explanation;
  }

  kill(): void {
    this.#killed();
  }

  program(): UnitProgram {
    return { ...noProgram, ...this.#options.program };
  }

  set(change: Partial<UnitStatus>): void {
    this.#status = { ...this.#status, changedMs: this.#clock.monotonicMs(), ...change };
  }

  async job(verb: string): Promise<ServiceCallResult> {
    switch (verb) {
      case 'reset-failed':
        this.#starts = 0;
        this.set({ result: 'success' });
        if (this.#status.activeState === 'failed') this.set({ activeState: 'inactive', subState: 'dead' });
        return { kind: 'done' };
      case 'stop':
      case 'stop-alone':
        await this.#stop();
        return { kind: 'done' };
      case 'restart':
        await this.#stop();
        return this.start();
      default:
        return this.#status.activeState === 'active' ? { kind: 'done' } : this.start();
    }
  }

  /** One stop, joined by whoever asks meanwhile. */
  #stop(): Promise<void> {
    this.#stopping ??= this.#end().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #end(): Promise<void> {
    const { stopMs = 0, atStop } = this.#options;
    if (this.#status.activeState === 'active') atStop?.();
    this.#life.abort();
    this.#replace();
    // The job that was replaced ends first.
    await this.#starting;
    if (stopMs > 0 && this.#status.activeState !== 'inactive') {
      this.set({ activeState: 'deactivating', subState: 'stop-sigterm' });
      const killed = new AbortController();
      this.#killed = () => killed.abort();
      await (stopMs === Number.POSITIVE_INFINITY
        ? new Promise<void>((resolve) => killed.signal.addEventListener('abort', () => resolve()))
        : this.#clock.sleep(stopMs, killed.signal));
    }
    this.set({ activeState: 'inactive', subState: 'dead', mainPid: 0 });
  }

  /** One start, joined by whoever asks meanwhile; also what `Restart=` does. */
  start(): Promise<ServiceCallResult> {
    this.#starting ??= this.#begin().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #begin(): Promise<ServiceCallResult> {
    const { startLimit = Number.POSITIVE_INFINITY, startMs = 10, refusesStart } = this.#options;
    const { hungStarts = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#starts >= startLimit) {
      this.set({ activeState: 'failed', subState: 'failed', result: 'start-limit-hit', mainPid: 0 });
      return { kind: 'failed', reason: 'start request repeated too quickly' };
    }
    this.#starts++;
    this.set({ activeState: 'activating', subState: 'start', result: 'success', mainPid: 0 });
    if (startMs === Number.POSITIVE_INFINITY && this.#hung++ < hungStarts) {
      await new Promise<void>((resolve) => {
        this.#replace = resolve;
      });
      return { kind: 'failed', reason: 'its job was cancelled' };
    }
    if (startMs !== Number.POSITIVE_INFINITY) await this.#clock.sleep(startMs);
    if (refusesStart) {
      this.#die('exit-code');
      return { kind: 'failed', reason: 'control process exited with error code' };
    }
    if (this.#options.type === 'oneshot') {
      this.set(
        this.#options.remainAfterExit
          ? { activeState: 'active', subState: 'exited' }
          : { activeState: 'inactive', subState: 'dead' },
      );
    } else this.#live();
    return { kind: 'done' };
  }

  #live(): void {
    const { livesMs, mainPid } = this.#options;
    this.set({ activeState: 'active', subState: 'running', result: 'success', mainPid: mainPid ?? FakeUnit.#pid++ });
    const life = new AbortController();
    this.#life = life;
    if (livesMs === undefined) return;
    const ms = typeof livesMs === 'number' ? livesMs : livesMs();
    void this.#clock.sleep(ms, life.signal).then(() => {
      if (!life.signal.aborted) this.#die('exit-code');
    });
  }

  #die(result: string): void {
    const { restartMs } = this.#options;
    if (restartMs === undefined) {
      this.set({ activeState: 'failed', subState: 'failed', result, mainPid: 0 });
      return;
    }
    this.set({ activeState: 'activating', subState: 'auto-restart', result, mainPid: 0 });
    const life = new AbortController();
    this.#life = life;
    this.dueMs = this.#clock.monotonicMs() + restartMs;
    void this.#clock.sleep(restartMs, life.signal).then(() => {
      if (!life.signal.aborted) void this.start();
    });
  }
}
