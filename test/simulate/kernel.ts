import { AccountNames } from '../../src/system/accounts/names.ts';
import { ProcFiles } from '../../src/system/proc/files.ts';
import { type BeginPieces, giveBack, takePiece } from '../../src/system/proc/pieces.ts';
import type { Signals } from '../../src/system/proc/signals.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';
import type { WorldClock } from './clock.ts';
import type { Life } from './life.ts';

/** A process of the simulated machine. */
export interface SimulatedProcess {
  readonly pid: number;
  /** Clock ticks. */
  readonly startTime: number;
  readonly bornAtMs: number;
  ppid: number;
  readonly uid: number;
  readonly name: string;
  readonly argv: readonly string[];
  readonly environment: readonly string[];
  /** Below the cgroup root. */
  readonly cgroup: string;
  /** Of which program it is a copy; undefined: of none that is ours. */
  readonly program: string | undefined;
  /** It bears the name, and is somebody else's. */
  readonly isStranger: boolean;
  /** An administrator has started it beside its unit. */
  readonly isByHand: boolean;
  /** How long it takes to end once it is asked to; Infinity: it does not. */
  termMs: number;
  /** It runs, and does not do its work. */
  isSick: boolean;
  isAlive: boolean;
  onExit: () => void;
}

/** What a new process is. */
export type Birth = Pick<SimulatedProcess, 'name'> & Partial<SimulatedProcess>;

/** Numbers that no kernel gives (pid_max is 4,194,304): nothing that is simulated can reach a real process. */
const FIRST_PID = 5_000_000;
const PIDS = 40;

/** The process table: births, deaths, numbers that are given out again soon, and signals. */
export class SimulatedKernel {
  /** It cannot be read while set: no descriptor is left. */
  isUnreadable = false;
  /** Since when; only if it is. */
  unreadableSinceMs = 0;
  /** Called with each process that the daemon signals. */
  onSignal: (process: SimulatedProcess) => void = () => {};
  /** Called with each process that ends. */
  onDeath: (process: SimulatedProcess) => void = () => {};
  readonly #clock: WorldClock;
  readonly #processes = new Map<number, SimulatedProcess>();
  /** Those that became free last first: soon another's. */
  readonly #free: number[] = Array.from({ length: PIDS }, (_, i) => FIRST_PID + PIDS - i);

  constructor(clock: WorldClock) {
    this.#clock = clock;
    this.#add(1, { name: 'systemd', cgroup: '/init.scope', argv: ['/sbin/init'] }, 0);
    this.#add(process.pid, { name: 'node', cgroup: '/system.slice/monitor_service.service', argv: ['monitor_service'] }, 1);
  }

  get processes(): SimulatedProcess[] {
    return [...this.#processes.values()];
  }

  get(pid: number): SimulatedProcess | undefined {
    return this.#processes.get(pid);
  }

  /** The living copies of a program, strangers left out. */
  copiesOf(program: string): SimulatedProcess[] {
    return this.processes.filter((one) => one.program === program && !one.isStranger);
  }

  spawn(birth: Birth): SimulatedProcess {
    const pid = this.#free.pop();
    if (pid === undefined) throw new Error('the simulated machine has no process number left');
    return this.#add(pid, birth, birth.ppid ?? 1);
  }

  exit(one: SimulatedProcess): void {
    if (!one.isAlive) return;
    one.isAlive = false;
    this.#processes.delete(one.pid);
    for (const child of this.#processes.values()) if (child.ppid === one.pid) child.ppid = 1;
    // Not within the same tick: it would be the same identity.
    this.#clock.in(10, () => this.#free.push(one.pid));
    one.onExit();
    this.onDeath(one);
  }

  /** As kill(2). */
  signal(one: SimulatedProcess, signal: number): void {
    if (signal === SIGKILL) this.#clock.in(1, () => this.exit(one));
    else if (signal !== SIGCONT && one.termMs !== Number.POSITIVE_INFINITY) this.#clock.in(one.termMs, () => this.exit(one));
  }

  /** All processes end. */
  clear(): void {
    for (const one of this.processes) {
      if (one.pid < FIRST_PID) continue;
      one.onExit = () => {};
      this.exit(one);
    }
  }

  /** The table as one life of the daemon sees it. */
  table(life: Life): ProcessTable {
    return new ProcessTable('/proc', new AccountNames(), new SimulatedFiles(this, this.#clock, life), this.#signals(life));
  }

  #signals(life: Life): Signals {
    const opened = new Map<number, SimulatedProcess>();
    let last = 0;
    return {
      open: (pid) => {
        life.enter();
        const one = this.#processes.get(pid);
        if (one === undefined) return { kind: 'gone' };
        opened.set(++last, one);
        return { kind: 'opened', fd: last };
      },
      send: (fd, signal) => {
        life.enter();
        const one = opened.get(fd);
        if (one === undefined || !one.isAlive) return 'gone';
        this.onSignal(one);
        this.signal(one, signal);
        return 'sent';
      },
      close: (fd) => void opened.delete(fd),
      kill: () => {
        throw new Error('a process was signalled by its number alone');
      },
    };
  }

  #add(pid: number, birth: Birth, ppid: number): SimulatedProcess {
    const { name } = birth;
    const whole: SimulatedProcess = {
      uid: 0,
      argv: [name],
      environment: ['PATH=/usr/bin'],
      cgroup: '/system.slice/cron.service',
      program: undefined,
      isStranger: false,
      isByHand: false,
      termMs: 50,
      isSick: false,
      isAlive: true,
      onExit: () => {},
      ...birth,
      ...{ pid, ppid, startTime: Math.floor(this.#clock.nowMs / 10), bornAtMs: this.#clock.nowMs },
    };
    this.#processes.set(pid, whole);
    return whole;
  }
}

const SIGKILL = 9;
const SIGCONT = 18;

/** /proc of the simulated machine. */
class SimulatedFiles extends ProcFiles {
  readonly #kernel: SimulatedKernel;
  readonly #clock: WorldClock;
  readonly #life: Life;

  constructor(kernel: SimulatedKernel, clock: WorldClock, life: Life) {
    super('/nonexistent');
    this.#kernel = kernel;
    this.#clock = clock;
    this.#life = life;
  }

  override text(file: string): string | undefined {
    if (this.#kernel.isUnreadable) return undefined;
    if (file === 'uptime') return `${(this.#clock.nowMs / 1000).toFixed(2)} 0.00\n`;
    const slash = file.indexOf('/');
    const one = this.#kernel.get(Number(file.slice(0, slash)));
    return one && contentOf(one, file.slice(slash + 1));
  }

  override longText(file: string): { readonly text: string; readonly whole: boolean } | undefined {
    const text = this.text(file);
    return text === undefined ? undefined : { text, whole: true };
  }

  override withBytes<T>(file: string, limit: number, use: (bytes: Buffer) => T): T | undefined {
    const text = this.text(file);
    return text === undefined ? undefined : use(Buffer.from(text).subarray(0, limit));
  }

  override pieces<T>(file: string, begin: BeginPieces<T>): T | undefined {
    const text = this.text(file);
    if (text === undefined) return undefined;
    const bytes = Buffer.from(text);
    const piece = takePiece();
    try {
      const to = begin(piece);
      while (to.goesOn) to.take(bytes.copy(to.buffer, to.at, to.position, Math.min(to.position + to.length, bytes.length)));
      return to.answer;
    } finally {
      giveBack(piece);
    }
  }

  override link(file: string): string | undefined {
    if (this.#kernel.isUnreadable) return undefined;
    const [pid, link] = file.split('/');
    const one = this.#kernel.get(Number(pid));
    if (one === undefined) return undefined;
    if (link === 'exe') return `/opt/simulated/${one.name}`;
    return link === 'cwd' || link === 'root' ? '/' : undefined;
  }

  /** Each look at all processes is one call of the daemon's. */
  override names(): string[] | undefined {
    this.#life.enter();
    return this.#kernel.isUnreadable ? undefined : this.#kernel.processes.map(({ pid }) => String(pid));
  }

  override firstNames(): string[] {
    return [];
  }

  /** Nobody's memory has to be waited for. */
  override owner(): number {
    return 0;
  }

  override groupMembers(controlGroup: string): number[] {
    if (this.#kernel.isUnreadable) return [];
    return this.#kernel.processes.filter(({ cgroup }) => cgroup === controlGroup).map(({ pid }) => pid);
  }

  override size(): undefined {
    return undefined;
  }

  override identity(): undefined {
    return undefined;
  }

  override isFile(): boolean {
    return false;
  }

  override isSame(): boolean {
    return false;
  }
}

function contentOf(one: SimulatedProcess, file: string): string | undefined {
  const { pid, ppid, name, uid, startTime } = one;
  switch (file) {
    case 'stat':
      return `${pid} (${name.slice(0, 15)}) S ${ppid} ${pid} ${pid} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${startTime} 0 0`;
    case 'status':
      return `Name:\t${name}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t${uid}\t${uid}\t${uid}\t${uid}\nGroups:\t\nNSpid:\t${pid}\n`;
    case 'cmdline':
      return one.argv.map((word) => `${word}\0`).join('');
    case 'environ':
      return one.environment.map((variable) => `${variable}\0`).join('');
    case 'cgroup':
      return `0::${one.cgroup}\n`;
    default:
      return undefined;
  }
}
