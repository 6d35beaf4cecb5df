import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { isAlive, openZoo } from '../helpers/process-zoo.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

test('a program that was killed is started again as it was, and outlives the daemon', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), { 'process.default': { restart_command: undefined } });
  const zoo = openZoo(t);
  const name = 'monitored-program-with-a-long-name';
  const program = zoo.sleeper(name);
  world.configure({ [`process.${name}`]: { restart_strategy: 'process', health_check_timeout: 10 } });
  const id = await world.add(name);
  const log = join(zoo.dir, 'out.log');
  const begin = 'ulimit -n 300; umask 027; trap "" HUP; exec "$0" 301.5 >>"$1"';
  const first = await zoo.start('bash', ['-c', begin, program, log], { cwd: zoo.dir });
  const daemon = await world.start();
  await world.until('it was seen while it lived', () => isRemembered(world, name));

  process.kill(first, 'SIGKILL');
  await world.until('it is dead', () => !isAlive(first));
  await world.raise(id, 'it died');
  await world.allClear();
  assert.match((await world.row(id)).notes ?? '', /^it died - Restarted at /);
  const second = runningPid(program);
  assert.deepEqual(commandLine(second), [program, '301.5']);
  const limits = readFileSync(`/proc/${second}/limits`, 'utf8');
  assert.match(limits, /^Max open files +300 +300 /m);
  assert.match(readFileSync(`/proc/${second}/status`, 'utf8'), /^Umask:\t0027\n.*^SigIgn:\t0{15}1$/ms);
  assert.equal(readlinkSync(`/proc/${second}/fd/1`), log);

  // In alarm while it lives: stopped, and started anew.
  await world.raise(id, 'it hangs');
  await world.allClear();
  assert.equal(isAlive(second), false);
  const third = runningPid(program);
  assert.deepEqual(commandLine(third), [program, '301.5']);

  assert.equal((await daemon.stop()).code, 0);
  assert.equal(isAlive(third), true, 'it outlives the daemon');
  process.kill(third, 'SIGKILL');
  await world.nothingLeft();
});

/** How it was started stands in the daemon's memory on the disk. */
function isRemembered(world: DaemonWorld, name: string): boolean {
  const state = new DatabaseSync(join(world.dir, 'state/state.db'), { readOnly: true });
  try {
    return state.prepare('SELECT 1 FROM launches WHERE key = ?').get(name) !== undefined;
  } finally {
    state.close();
  }
}

/** The only process that runs `program`. */
function runningPid(program: string): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(Number(name))[0] === program);
  assert.equal(pids.length, 1, `one runs ${program}`);
  return Number(pids[0]);
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
