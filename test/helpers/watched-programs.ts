import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonProcess } from './daemon.ts';
import { openSqliteAlarms, type SqliteAlarms } from './sqlite-alarms.ts';
import { waitFor } from './wait-for.ts';

/** What a daemon is to do with them. */
export interface WatchedProgramsOptions {
  readonly names: readonly string[];
  /** Where they lie; a folder that exists. */
  readonly folder: string;
  /** The keys of the program's own section, a line each. */
  readonly section: (program: string) => string;
  /** Further keys of `[process.default]`, a line each. */
  readonly defaults?: string;
  /** The daemon sends process events: then the kernel tells it of new processes, where it does so. */
  readonly withEvents: boolean;
}

/** Programs that write down each of their births, and a daemon's configuration and alarms for them: it polls every 300 s. */
export class WatchedPrograms {
  readonly configFile: string;
  readonly names: readonly string[];
  readonly #folder: string;
  readonly #alarms: SqliteAlarms;

  /** `dir`: where configuration, state and alarms lie. */
  constructor(dir: string, { names, folder, section, defaults = '', withEvents }: WatchedProgramsOptions) {
    this.names = names;
    this.#folder = folder;
    // A program without children: they would outlive it.
    const never = join(dir, 'never');
    execFileSync('mkfifo', ['-m', '600', never]);
    const sections = names.map((name) => {
      const program = this.pathOf(name);
      writeFileSync(program, `#!/bin/sh\necho $$ >> ${program}.births\nread -r _ <> ${never}\n`, { mode: 0o755 });
      return `[process.${name}]\n${section(program)}`;
    });
    this.configFile = join(dir, 'config.ini');
    writeFileSync(
      this.configFile,
      `[database]\ndriver = sqlite\npath = ${dir}/alarms.db\n` +
        `[monitor]\ncheck_interval = 86400\nflap_recoveries = 0\nmax_exits = 0\nmax_restart_failures = 1000\nstate_dir = ${dir}/state\n` +
        `[logging]\nfile = ${dir}/monitor.log\nsyslog = off\nlevel = debug\n[control]\nsocket = ${dir}/control.sock\n` +
        `[process.default]\nrestart_strategy = process\nrestart_delay = 0.1\nmax_attempts = 50\nstable_time = 0.2\n${defaults}` +
        sections.join('') +
        (withEvents ? `[events]\nsocket = ${dir}/events.sock\n` : ''),
      { mode: 0o600 },
    );
    this.#alarms = openSqliteAlarms(join(dir, 'alarms.db'), names);
  }

  /** The path of the program of that name. */
  pathOf(name: string): string {
    return join(this.#folder, name);
  }

  /** How often the program was started. */
  births(index: number): number {
    return this.#born(this.names[index] ?? '').length;
  }

  /** How often they were started, in all. */
  allBirths(): number {
    return this.names.reduce((sum, _, index) => sum + this.births(index), 0);
  }

  /** The pids of each program that run. */
  running(): number[][] {
    // A number may have been given out twice meanwhile.
    return this.names.map((name) => [...new Set(this.#born(name))].filter((pid) => isProgram(pid, name)));
  }

  /** True where it ran; it is dead then. */
  kill(index: number): boolean {
    const [pid] = this.running()[index] ?? [];
    if (pid === undefined) return false;
    process.kill(pid, 'SIGKILL');
    // On a busy machine it takes its time to die, and must not be counted twice.
    while (isProgram(pid, this.names[index] ?? '')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return true;
  }

  /**
   * Waits, `limitMs` at most, until of each one runs, the daemon knows it, and nothing is in alarm; and then `stillMs` whether anything
   * more happens. Rejects where it does not come to that; `when` stands in the reason.
   */
  async settled(daemon: DaemonProcess, when: string, limitMs: number, stillMs: number): Promise<void> {
    try {
      await waitFor('of every program one runs, is watched, and none is in alarm', () => this.#isSettled(daemon), limitMs);
      await delay(stillMs);
      assert(this.#isSettled(daemon), 'it stays so');
    } catch (error) {
      throw new Error(`${when}: ${String(error)}\n${JSON.stringify(this.running())}\n${daemon.stdout().slice(-6000)}`);
    }
  }

  /** Ends them all. */
  end(): void {
    for (const pid of this.running().flat()) process.kill(pid, 'SIGKILL');
    this.#alarms.close();
  }

  #isSettled(daemon: DaemonProcess): boolean {
    const said = daemon.stdout();
    const watched = this.running().every(
      (pids, i) => pids.length === 1 && new RegExp(`Watching ${this.names[i]}: pid ${pids[0]}\\b`).test(said),
    );
    return watched && this.#alarms.inAlarm() === 0;
  }

  #born(name: string): number[] {
    const file = `${this.pathOf(name)}.births`;
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number) : [];
  }
}

/** False for a zombie, for another user's, and for whoever has the pid by now. */
function isProgram(pid: number, name: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.includes(`(${name})`) && !/\) Z /.test(stat) && statSync(`/proc/${pid}`).uid === process.getuid?.();
  } catch {
    return false;
  }
}
