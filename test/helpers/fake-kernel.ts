import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cutName } from '../../src/core/process/comm.ts';

/** What a process shows of itself. */
export interface FakeProgram {
  readonly exe: string;
  readonly argv: readonly string[];
  readonly comm: string;
}

/** A process of the fake kernel; its number may be another's later. */
export interface FakeProcess {
  readonly pid: number;
  /** Clock ticks: of two processes with one number the later one's is higher. */
  readonly startTime: number;
  readonly kind: 'user' | 'kernel' | 'contained';
  ppid: number;
  pgid: number;
  sid: number;
  /** Real and effective user. */
  uids: readonly [real: number, effective: number];
  program: FakeProgram;
  state: 'S' | 'Z' | 'gone';
  /** Who forked it, also when that one is gone. */
  readonly forkedBy: FakeProcess | undefined;
}

/** Numbers from here on are given out, and given out again. */
const FIRST_PID = 100;
const PIDS = 16;

/**
 * Processes as Linux keeps them: what one may do to its number, group, session and user, and no more (fork(2), setsid(2), setpgid(2),
 * credentials(7)). A number is given out again only when nobody has it for its process, group or session.
 */
export class FakeKernel {
  readonly init: FakeProcess;
  readonly #processes = new Map<number, FakeProcess>();
  #ticks = 1;
  /** What was written of each process. */
  #written = new Map<number, string>();

  constructor() {
    this.init = this.#add(1, { kind: 'user', program: { exe: '/sbin/init', argv: ['/sbin/init'], comm: 'init' } });
    this.#add(2, { kind: 'kernel', program: { exe: '', argv: [], comm: 'kthreadd' } });
  }

  /** All that have a number, zombies too, by that number. */
  get processes(): FakeProcess[] {
    return [...this.#processes.values()].sort((a, b) => a.pid - b.pid);
  }

  /** Those that may act: neither init, nor kernel threads, nor dead. */
  get actors(): FakeProcess[] {
    return this.processes.filter(({ pid, kind, state }) => pid > 2 && kind !== 'kernel' && state === 'S');
  }

  /** A child of `parent`, like it; undefined where all numbers are taken. `at`: its number, instead of one out of all that are free. */
  fork(parent: FakeProcess, choice: number, at?: number): FakeProcess | undefined {
    const pid = at ?? this.#freePid(choice);
    if (pid === undefined) return undefined;
    const { pid: ppid, pgid, sid, uids, program, kind } = parent;
    return this.#add(pid, { ppid, pgid, sid, uids, program, kind, forkedBy: parent });
  }

  /** A process that nobody here has forked: of the kernel, or the first one of a container. */
  appear(kind: 'kernel' | 'contained', program: FakeProgram, choice: number): FakeProcess | undefined {
    const pid = this.#freePid(choice);
    if (pid === undefined) return undefined;
    const alone = kind === 'kernel' ? { ppid: 2, pgid: 0, sid: 0 } : { ppid: 1, pgid: pid, sid: pid };
    return this.#add(pid, { ...alone, kind, program });
  }

  setsid(process: FakeProcess): void {
    if (this.processes.some(({ pgid }) => pgid === process.pid)) return;
    process.sid = process.pid;
    process.pgid = process.pid;
  }

  /** Into a group of its own, or into that of another of its session. */
  setpgid(process: FakeProcess, other: FakeProcess | undefined): void {
    if (process.sid === process.pid) return;
    if (other === undefined) process.pgid = process.pid;
    else if (other.sid === process.sid) process.pgid = other.pgid;
  }

  /** It ends; `reaped`: its parent fetches it at once. Its children are init's from then on, who fetches all of them. */
  exit(process: FakeProcess, reaped: boolean): void {
    for (const child of this.processes) {
      if (child.ppid !== process.pid) continue;
      child.ppid = 1;
      if (child.state === 'Z') this.#remove(child);
    }
    process.state = 'Z';
    if (reaped || process.ppid === 1) this.#remove(process);
  }

  /** Some time goes by: what starts from now on is younger. */
  tick(): void {
    this.#ticks++;
  }

  /** Writes it all to a folder that is this kernel's alone, as proc(5) shows it. */
  write(folder: string): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'uptime'), `${this.#ticks / 100 + 1} 0.00\n`);
    const now = new Map(this.processes.map((process) => [process.pid, JSON.stringify({ ...process, forkedBy: undefined })]));
    for (const [pid, written] of this.#written)
      if (now.get(pid) !== written) rmSync(join(folder, String(pid)), { recursive: true });
    for (const process of this.processes)
      if (now.get(process.pid) !== this.#written.get(process.pid)) writeProcess(folder, process);
    this.#written = now;
  }

  #add(pid: number, of: Partial<FakeProcess> & Pick<FakeProcess, 'kind' | 'program'>): FakeProcess {
    const { ppid = 0, pgid = pid, sid = pid, uids = [0, 0], kind, program, forkedBy } = of;
    const startTime = this.#ticks;
    const process: FakeProcess = { pid, startTime, kind, ppid, pgid, sid, uids, program, forkedBy, state: 'S' };
    this.#processes.set(pid, process);
    return process;
  }

  #remove(process: FakeProcess): void {
    process.state = 'gone';
    this.#processes.delete(process.pid);
    // The same number within the same tick would be the same identity; a kernel takes longer to come round to it.
    this.tick();
  }

  #freePid(choice: number): number | undefined {
    const taken = new Set(this.processes.flatMap(({ pid, pgid, sid }) => [pid, pgid, sid]));
    const free = Array.from({ length: PIDS }, (_, i) => FIRST_PID + i).filter((pid) => !taken.has(pid));
    return free[choice % free.length];
  }
}

const PF_KTHREAD = 0x0020_0000;

function writeProcess(folder: string, of: FakeProcess): void {
  const { pid, ppid, pgid, sid, uids, program, state, startTime, kind } = of;
  const [real, effective] = uids;
  const place = join(folder, String(pid));
  const name = cutName(program.comm);
  const flags = kind === 'kernel' ? PF_KTHREAD : 0;
  mkdirSync(place);
  writeFileSync(
    join(place, 'stat'),
    `${pid} (${name}) ${state} ${ppid} ${pgid} ${sid} 0 -1 ${flags} 0 0 0 0 0 0 0 0 20 0 1 0 ${startTime} 0 0`,
  );
  const ids = `${real}\t${effective}\t${effective}\t${effective}`;
  const numbers = kind === 'contained' ? `${pid}\t1` : String(pid);
  writeFileSync(join(place, 'status'), `Name:\t${name}\nUid:\t${ids}\nGid:\t${ids}\nGroups:\t\nNSpid:\t${numbers}\n`);
  const isDead = state === 'Z' || kind === 'kernel';
  writeFileSync(join(place, 'cmdline'), isDead ? '' : program.argv.map((word) => `${word}\0`).join(''));
  if (isDead) return;
  symlinkSync(program.exe, join(place, 'exe'));
}
