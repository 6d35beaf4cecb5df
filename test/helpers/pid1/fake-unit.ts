import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { type DbusValue, Variant } from '../../../src/system/systemd/dbus/values.ts';
import { CLD_EXITED, MANAGER_PATH } from './dbus-names.ts';

/** How a job of a unit goes. */
export interface JobPlan {
  /** `done` unless said; any other is how the job fails. */
  readonly result?: string;
  /** It is under way until `finish`. */
  readonly held?: boolean;
  /** The exit code of what fails; 1 unless said. */
  readonly status?: number;
  /** Why systemd skips the start; the job is then done like any other. */
  readonly skippedBy?: SkippedBy;
}

/** `condition`: ConditionPathExists=/run/ok; `exec-condition`: the unit's ExecCondition=. */
export type SkippedBy = 'condition' | 'exec-condition';

export type JobVerb = 'start' | 'restart' | 'stop';

/** A unit that has a file. */
export interface FakeServiceOptions {
  readonly type?: 'simple' | 'oneshot';
  readonly loadState?: 'loaded' | 'masked' | 'bad-setting';
  /** Where it stands at first; inactive unless said. */
  readonly state?: 'active' | 'inactive';
  readonly plan?: (verb: JobVerb) => JobPlan;
  /** `Requires`, `Wants` … by their names on the bus. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
  /** `FailureAction`, `UnitFileState` …, likewise. */
  readonly words?: Readonly<Record<string, string>>;
  /** ExecStart= from argv[0] on, which is the file. */
  readonly executes?: readonly [string, ...string[]];
  readonly user?: string;
  /** `Restart=on-failure`: after a start that failed it stands `activating (auto-restart)`. */
  readonly restarts?: boolean;
  /** Another unit refers to it, so that it stays loaded while it has nothing to do. */
  readonly stays?: boolean;
}

/** A unit as the fake knows it; `Service` and `Unit` are its halves. */
export class FakeUnit {
  readonly name: string;
  transient = false;
  /** Also where it failed it is forgotten. */
  collects = false;
  activeState = 'inactive';
  subState = 'dead';
  result = 'success';
  mainPid = 0;
  code = 0;
  status = 0;
  invocation = Buffer.alloc(0);
  job: { readonly id: number; readonly verb: JobVerb } | undefined;
  readonly #options: FakeServiceOptions | undefined;
  #unmetAt = 0n;
  #changedAt = 0n;
  #leftActiveAt = 0n;
  #startedAt = 0n;
  #endedAt = 0n;

  constructor(name: string, options: FakeServiceOptions | undefined) {
    this.name = name;
    this.#options = options;
  }

  get loadState(): string {
    return this.transient ? 'loaded' : this.#options === undefined ? 'not-found' : (this.#options.loadState ?? 'loaded');
  }

  enter(activeState: string, subState: string): void {
    if (this.activeState === 'active' && activeState !== 'active') this.#leftActiveAt = microseconds();
    this.activeState = activeState;
    this.subState = subState;
    this.#changedAt = microseconds();
  }

  /** A new life: it has a main process before it has a state. */
  begin(pid: number, state: 'active' | 'activating' | 'inactive' = 'active'): void {
    this.invocation = randomBytes(16);
    this.result = 'success';
    this.mainPid = pid;
    this.code = 0;
    this.status = 0;
    this.#startedAt = microseconds();
    this.#endedAt = 0n;
    if (state !== 'inactive') this.enter(state, state === 'active' ? 'running' : 'start');
  }

  /** systemd has skipped its start. */
  skip(by: SkippedBy): void {
    if (by === 'condition') this.#unmetAt = microseconds();
    else this.result = by;
  }

  get stays(): boolean {
    return this.#options?.stays ?? false;
  }

  /** The end of its main process. */
  end(code: number, status: number): void {
    this.mainPid = 0;
    this.code = code;
    this.status = status;
    this.#endedAt = microseconds();
    if (this.result !== 'success') return;
    const isClean = code === CLD_EXITED ? status === 0 : CLEAN.includes(status);
    this.result = isClean ? 'success' : code === CLD_EXITED ? 'exit-code' : 'signal';
  }

  properties(half: 'Service' | 'Unit'): Map<string, Variant> {
    const u = (value: number): Variant => new Variant('u', value);
    const t = (value: bigint): Variant => new Variant('t', value);
    const s = (value: string): Variant => new Variant('s', value);
    if (half === 'Service') {
      if (!this.name.endsWith('.service')) return new Map();
      return new Map([
        ['Type', s(this.#options?.type ?? 'simple')],
        ['MainPID', u(this.mainPid)],
        ['Result', s(this.result)],
        ['ControlGroup', s(this.mainPid > 0 ? `/system.slice/${this.name}` : '')],
        ['ExecMainStartTimestampMonotonic', t(this.#startedAt)],
        ['ExecMainExitTimestampMonotonic', t(this.#endedAt)],
        ['ExecMainCode', new Variant('i', this.code)],
        ['ExecMainStatus', new Variant('i', this.status)],
        ['User', s(this.#options?.user ?? '')],
        ['ExecStart', new Variant('a(sasbttttuii)', execStart(this.#options?.executes))],
      ]);
    }
    return new Map([
      ['Id', s(this.name)],
      ['LoadState', s(this.loadState)],
      ['ActiveState', s(this.activeState)],
      ['SubState', s(this.subState)],
      ['StateChangeTimestampMonotonic', t(this.#changedAt)],
      ['ActiveExitTimestampMonotonic', t(this.#leftActiveAt)],
      ['Job', new Variant('(uo)', this.job === undefined ? [0, '/'] : [this.job.id, jobPath(this.job.id)])],
      ['ConditionResult', new Variant('b', this.#unmetAt === 0n)],
      ['ConditionTimestampMonotonic', t(this.#unmetAt)],
      [
        'Conditions',
        new Variant('a(sbbsi)', this.#unmetAt === 0n ? [] : [['ConditionPathExists', false, false, '/run/ok', -1]]),
      ],
      ['AssertResult', new Variant('b', true)],
      ['InvocationID', new Variant('ay', this.invocation)],
      ...Object.entries({ Requires: [], Conflicts: [], ...this.#options?.lists }).map(
        ([name, units]) => [name, new Variant('as', units)] as const,
      ),
      ...Object.entries(this.#options?.words ?? {}).map(([name, word]) => [name, s(word)] as const),
    ]);
  }
}

const CLEAN: readonly number[] = [
  constants.signals.SIGHUP,
  constants.signals.SIGINT,
  constants.signals.SIGTERM,
  constants.signals.SIGPIPE,
];

function execStart(argv: FakeServiceOptions['executes']): readonly DbusValue[] {
  return argv === undefined ? [] : [[argv[0], argv, false, 0n, 0n, 0n, 0n, 0, 0, 0]];
}

let lastMicroseconds = 0n;

/** No two are the same. */
function microseconds(): bigint {
  const now = process.hrtime.bigint() / 1000n;
  lastMicroseconds = now > lastMicroseconds ? now : lastMicroseconds + 1n;
  return lastMicroseconds;
}

export function jobPath(id: number): string {
  return `${MANAGER_PATH}/job/${id}`;
}
