import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { createSchema } from '../../src/stores/sqlite/store.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { medianResidentMb } from './floors.ts';
import { nodeArgs } from './line-program.ts';
import { childrenCpuMs, cpuMs } from './measure.ts';
import type { SystemdFigures, Turns } from './systemd-figures.ts';

const ALARMS = 50;
/** As many as the daemon runs at once. */
const SLOTS = 4;

export type AlarmFigures = Pick<SystemdFigures, 'commandCpu' | 'restartCpu' | 'residentMb'>;

/** Where and how often; `unit`: the name of a unit that can be restarted, by its number. */
export interface AlarmRounds {
  readonly project: string;
  readonly dir: string;
  readonly bursts: number;
  readonly unit: (n: number) => string;
}

/**
 * The CPU that an alarm costs the built daemon of a project where it runs as root under systemd: bursts of fifty, healed by a command
 * that ends at once, then by the restart of a unit, in turns with as many spawned `systemd-run --wait`.
 */
export async function alarmsUnderSystemd({ project, dir, bursts, unit }: AlarmRounds): Promise<AlarmFigures> {
  const file = join(dir, 'alarms.db');
  const database = openDatabase(file, unit);
  const config = join(dir, 'config.ini');
  writeFileSync(config, configuration(dir, file, unit), { mode: 0o600 });
  const { DaemonProcess } = (await import(join(project, 'test/helpers/daemon.ts'))) as typeof import('../helpers/daemon.ts');
  const daemon = new DaemonProcess(config, {}, nodeArgs(project));
  try {
    await daemon.line(/ started \(pid \d+\)/);
    await delay(5000);
    const pid = daemon.child.pid ?? 0;
    const residentMb = await medianResidentMb(pid);
    const [commandCpu, restartCpu]: [Turns, Turns] = [
      { ours: [], floor: [] },
      { ours: [], floor: [] },
    ];
    for (let burst = 0; burst < bursts; burst++) {
      commandCpu.ours.push(await burstCpu(database, pid, 1));
      const floor = await spawnedCpu();
      restartCpu.ours.push(await burstCpu(database, pid, ALARMS + 1));
      commandCpu.floor.push(floor);
      restartCpu.floor.push(floor);
    }
    return { commandCpu, restartCpu, residentMb };
  } catch (error) {
    throw new Error(daemon.stdout().slice(-4000), { cause: error });
  } finally {
    await daemon.stop();
    database.close();
  }
}

/** Processes 1 to 50 and units 51 to 100, all well. */
function openDatabase(file: string, unit: (n: number) => string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5000 });
  database.exec('PRAGMA journal_mode = WAL');
  createSchema(database);
  for (let id = 1; id <= 2 * ALARMS; id++) {
    database.prepare('INSERT INTO PROCESE VALUES (?, ?)').run(id, id <= ALARMS ? `p${id}` : unit(id));
    database.prepare('INSERT INTO STATUS_PROCESS VALUES (?, 0, 0, NULL)').run(id);
  }
  return database;
}

function configuration(dir: string, file: string, unit: (n: number) => string): string {
  const units = Array.from({ length: ALARMS }, (_, i) => unit(ALARMS + 1 + i));
  return `[database]
driver = sqlite
path = ${file}
[monitor]
check_interval = 0.2
state_dir = ${dir}/state
flap_recoveries = 0
[logging]
file = ${dir}/monitor.log
syslog = off
[control]
socket = ${dir}/control.sock
[process.default]
restart_strategy = custom
restart_command = true
${units.map((name) => `[process.${name}]\nrestart_strategy = service\nrestart_command =\n`).join('')}`;
}

/** Raises the fifty alarms from `first` on at once; CPU milliseconds an alarm until the last one is cleared. */
async function burstCpu(database: DatabaseSync, pid: number, first: number): Promise<number> {
  const spent = (): number => cpuMs(pid) + childrenCpuMs(pid);
  const before = spent();
  database.prepare('UPDATE STATUS_PROCESS SET alarma = 1 WHERE process_id BETWEEN ? AND ?').run(first, first + ALARMS - 1);
  const raised = database.prepare('SELECT count(*) AS n FROM STATUS_PROCESS WHERE alarma = 1');
  await waitFor('all alarms are cleared', () => raised.get()?.n === 0, 120_000);
  // What follows a clearing.
  await delay(300);
  return (spent() - before) / ALARMS;
}

/** The same of as many spawned programs, as they are counted by their parent. */
async function spawnedCpu(): Promise<number> {
  const before = childrenCpuMs(process.pid);
  let left = ALARMS;
  const slot = async (): Promise<void> => {
    while (left-- > 0) {
      const argv = ['--quiet', '--wait', '--pipe', '--collect', '--', '/bin/sh', '-c', 'true'];
      await once(spawn('systemd-run', argv, { stdio: 'ignore' }), 'close');
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, slot));
  return (childrenCpuMs(process.pid) - before) / ALARMS;
}
