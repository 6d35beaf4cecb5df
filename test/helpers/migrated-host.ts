import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { type CliResult, DaemonProcess, runCli } from './daemon.ts';
import type { StatusRow } from './daemon-world.ts';
import { isAlive } from './process-zoo.ts';
import { openSqliteAlarms, type SqliteAlarms } from './sqlite-alarms.ts';
import { waitFor } from './wait-for.ts';

/** A machine that has gone over from the bash service: its `[process.NAME]` sections as they were, and a daemon of ours on them. */
export class MigratedHost {
  readonly dir: string;
  /** Stands in every path of this machine, and in no other's. */
  readonly mark: string;
  readonly #alarms: SqliteAlarms;
  readonly #daemons: DaemonProcess[] = [];

  /** `sections`: the text of the process sections; `names`: the processes that have a row. All of it is gone after the test. */
  constructor(t: TestContext, names: readonly string[], sections: (host: MigratedHost) => string) {
    this.dir = mkdtempSync(join(tmpdir(), 'migrated-'));
    this.mark = basename(this.dir);
    this.#alarms = openSqliteAlarms(join(this.dir, 'alarms.db'), names);
    this.configure(sections(this));
    t.after(() => this.#close());
  }

  /** Writes the file anew with these process sections. */
  configure(sections: string): void {
    writeFileSync(this.file, `${this.#common}${sections}`, { mode: 0o600 });
  }

  get file(): string {
    return join(this.dir, 'config.ini');
  }

  /** The line of the file that a line of the sections is, both counted from 1. */
  line(ofSections: number): number {
    return this.#common.split('\n').length - 1 + ofSections;
  }

  /** Starts a daemon, which runs its commands as this machine lets it. */
  async start(): Promise<DaemonProcess> {
    const daemon = new DaemonProcess(this.file);
    this.#daemons.push(daemon);
    await daemon.line(/ started \(pid \d+\).*commands run /);
    return daemon;
  }

  /** Runs `monitor_service ARGS…`. */
  cli(...args: string[]): Promise<CliResult> {
    return runCli([...args, '--config', this.file]);
  }

  /** Raises alarms as a foreign program does. */
  raise(...names: string[]): void {
    const database = new DatabaseSync(join(this.dir, 'alarms.db'), { timeout: 10_000 });
    const raise = database.prepare(
      'UPDATE STATUS_PROCESS SET alarma = 1, sound = 0 WHERE process_id = (SELECT process_id FROM PROCESE WHERE process_name = ?)',
    );
    for (const name of names) raise.run(name);
    database.close();
  }

  row(name: string): StatusRow {
    return this.#alarms.row(name);
  }

  async cleared(...names: string[]): Promise<void> {
    await this.until(`no alarm of ${names.join(', ')}`, () => names.every((name) => this.row(name).alarma === 0));
  }

  /** waitFor, with the daemon's last lines where it fails. */
  async until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
    try {
      return await waitFor(what, condition, 60_000);
    } catch (error) {
      throw new Error(`${String(error)}\n${this.#daemons.at(-1)?.stdout().slice(-4000)}`);
    }
  }

  /** Those whose arguments, joined, hold this text: what `pgrep -f` goes by. */
  matching(text: string): number[] {
    const found = new ProcessTable().list(['argv']).filter(({ argv }) => argv?.join(' ').includes(text));
    return found.map(({ pid }) => pid).filter(isAlive);
  }

  get #common(): string {
    return `[database]
driver = sqlite
path = ${this.dir}/alarms.db

[monitor]
check_interval = 0.2        # Check interval in seconds
max_restart_failures = 1    # Maximum restart attempts before circuit breaker opens
circuit_reset_time = 1800   # Time in seconds before circuit breaker resets
state_dir = ${this.dir}/state

[logging]
max_log_size = 5120         # Maximum log file size in KB before rotation (5MB)
log_files_to_keep = 5       # Number of rotated log files to keep
file = ${this.dir}/monitor.log
syslog = off

[control]
socket = ${this.dir}/control.sock

`;
  }

  async #close(): Promise<void> {
    for (const daemon of this.#daemons) await daemon.stop('SIGKILL');
    await waitFor('everything of the test has ended', () => {
      const left = this.matching(this.mark);
      for (const pid of left) process.kill(pid, 'SIGKILL');
      return left.length === 0;
    });
    this.#alarms.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
