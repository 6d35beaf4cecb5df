import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import type { DaemonStatus } from '../../src/control/status.ts';
import type { CliResult } from '../helpers/daemon.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';
import { waitFor } from '../helpers/wait-for.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

/** A check interval so long that what happens, happens by order. */
const SELDOM = { monitor: { check_interval: 86_400, max_restart_failures: 1 }, 'process.default': { max_attempts: 1 } };

function succeeds(result: CliResult, said: RegExp): void {
  assert.equal(result.code, 0, `${result.stdout}${result.stderr}`);
  assert.match(result.stdout, said);
}

function fails(result: CliResult, code: number, said: RegExp): void {
  assert.equal(result.code, code, `${result.stdout}${result.stderr}`);
  assert.match(result.stderr, said);
  assert.doesNotMatch(result.stderr, /\n\s+at /, 'no stack trace');
}

test('every order is carried out by the daemon that runs', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), SELDOM);
  const [a, sick] = [await world.add('a'), await world.add('sick')];
  world.configure({ 'process.sick': { restart_command: 'echo it will not >&2; exit 3' } });
  const daemon = await world.start();

  // Until the database has answered for the first time it says that alarms are unknown.
  const shown = await waitFor('the database has answered', async () => {
    const status = await world.cli('status');
    return status.code === 0 ? status : undefined;
  });
  succeeds(shown, new RegExp(`pid ${daemon.child.pid}\\b`));
  // alarm: raised in the database, and healed now and not in five minutes.
  succeeds(await world.cli('alarm', 'a', '--notes', 'by hand'), /a \(id 1\)/);
  await world.allClear();
  assert.match((await world.row(a)).notes ?? '', /^by hand - Restarted at /);
  fails(await world.cli('alarm', 'nobody'), exitCodes.noSuchName, /nobody/);

  // restart: with and without an alarm, and its failure.
  succeeds(await world.cli('restart', 'a'), /a recovered: 1 attempt/);
  assert.deepEqual(world.restarts(), [a, a]);
  fails(await world.cli('restart', 'sick'), exitCodes.failed, /sick did not recover: .*exit code 3: it will not/);
  fails(await world.cli('restart', 'nobody'), exitCodes.noSuchName, /nobody/);
  succeeds(await world.cli('--restart', 'a'), /a recovered/);

  // breaker: opened by that failure, passed by an order, closed by an order.
  succeeds(await world.cli('breaker'), /sick\s+open/);
  assert.equal((await statusOf(world, 'sick'))?.breaker.state, 'open');
  succeeds(await world.cli('breaker', 'sick', '--reset'), /circuit breaker closed: sick/);
  assert.equal((await statusOf(world, 'sick'))?.breaker.state, 'closed');

  // hold and release.
  succeeds(await world.cli('hold', 'a', '--for', '2h', '--reason', 'upgrade'), /a on hold until \d{4}-/);
  fails(await world.cli('restart', 'a'), exitCodes.failed, /on hold.*upgrade/);
  succeeds(await world.cli('alarm', String(a)), /alarm raised: a/);
  await daemon.line(/a not restarted: on hold: upgrade/);
  assert.equal((await world.row(a)).alarma, 1);
  const held = await world.cli('match', 'a');
  assert.equal(held.code, exitCodes.failed);
  assert.match(held.stdout, /refused: on hold: upgrade/);
  assert.match(
    (await world.cli('status', 'a')).stdout,
    /^a\n(?:.*\n)*state +held\n(?:.*\n)*hold +until .*: upgrade\n(?:.*\n)*restart +refused: .*upgrade\n/,
  );
  const status = await world.status();
  assert.deepEqual(
    status.holds.map(({ name, reason }) => ({ name, reason })),
    [{ name: 'a', reason: 'upgrade' }],
  );
  succeeds(await world.cli('release', 'a'), /released: a/);
  await world.allClear();
  succeeds(await world.cli('release', 'a'), /a is not on hold/);
  fails(await world.cli('hold'), exitCodes.usage, /name or --all/);

  // match says what would be done and does nothing.
  const before = world.restarts().length;
  succeeds(await world.cli('match', 'a'), /would start: restart_command: echo/);
  for (const command of ['match', 'status']) fails(await world.cli(command, 'nobody'), exitCodes.noSuchName, /nobody/);
  assert.equal(world.restarts().length, before);
  // alarm --clear.
  await world.sql('UPDATE STATUS_PROCESS SET alarma = 1, sound = 1 WHERE process_id = ?', [sick]);
  succeeds(await world.cli('alarm', 'sick', '--clear'), /alarm ended: sick/);
  assert.equal((await world.row(sick)).alarma, 0);
  const check = await world.cli('check-config', '--database');
  succeeds(check, /config\.ini: 0 errors, 1 warning; 1 configured process\n$/);
  assert.match(check.stderr, /: \[database\] STATUS_PROCESS has no index that begins with alarma.* \(warning\)\n$/);

  assert.equal((await daemon.stop()).code, 0);
  await world.nothingLeft();
});

test('while the database is away a hold, a status and a restart of what has a section still work', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), SELDOM);
  world.configure({ 'process.database': { priority: 1 } });
  const id = await world.add('a');
  const daemon = await world.start();
  await world.until('the store is known', async () => (await world.status()).store.state === 'ok');
  await server().kill();
  fails(await world.cli('alarm', 'a'), exitCodes.unavailable, /./);
  succeeds(await world.cli('restart', 'database'), /database recovered/);
  succeeds(await world.cli('hold', '--all'), /all processes on hold until released/);
  await server().restart();
  await world.raise(id);
  succeeds(await world.cli('alarm', 'a'), /alarm raised/);
  await daemon.line(/a not restarted: on hold/);
  succeeds(await world.cli('release', '--all'), /released: all processes/);
  await world.allClear();
  assert.equal((await daemon.stop()).code, 0);
  await world.nothingLeft();
});

test(
  'without the right to UPDATE an alarm is refused for want of permission, with a daemon and without',
  options,
  async (t) => {
    const world = await DaemonWorld.open(t, server(), SELDOM);
    await world.add('a');
    await world.sql(`CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'a secret'`);
    await world.sql(`GRANT SELECT ON ${world.database}.* TO reader@localhost`);
    world.configure({ database: { user: 'reader', password: 'a secret' } });
    const grant = `GRANT UPDATE \\(alarma, notes\\) ON ${world.database}.STATUS_PROCESS TO 'reader'@'localhost'`;
    fails(await world.cli('alarm', 'a'), exitCodes.permission, new RegExp(`UPDATE command denied .* \\(expected ${grant}`));
    fails(await world.cli('breaker', 'nobody', '--reset'), exitCodes.noSuchName, /no process named "nobody"/);
    const daemon = await world.start();
    fails(await world.cli('alarm', 'a'), exitCodes.permission, /UPDATE command denied/);
    fails(await world.cli('alarm', 'a', '--clear'), exitCodes.permission, /UPDATE command denied/);
    fails(await world.cli('breaker', 'nobody', '--reset'), exitCodes.noSuchName, /no process named "nobody"/);
    assert.equal((await daemon.stop()).code, 0);
    await world.nothingLeft();
  },
);

test('with the daemon down the command line does it itself and says so', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), { ...SELDOM, 'process.sick': { restart_command: 'false' } });
  const a = await world.add('a');
  await world.add('sick');

  // Nothing has ever run here.
  const fresh = await world.cli('status', '--json');
  assert.equal(fresh.code, exitCodes.notRunning, fresh.stderr);
  assert.match(fresh.stderr, /reading store and state/);
  const status = JSON.parse(fresh.stdout) as DaemonStatus;
  assert.equal(status.pid, 0);
  assert.equal(status.store.state, 'ok');
  assert.equal(status.store.alarms, 0);

  succeeds(await world.cli('alarm', 'a', '--notes', 'while you slept'), /alarm raised: a/);
  assert.deepEqual({ ...(await world.row(a)) }, { alarma: 1, sound: 0, notes: 'while you slept' });
  const seen = JSON.parse((await world.cli('status', '--json')).stdout) as DaemonStatus;
  assert.equal(seen.store.alarms, 1);

  const restarted = await world.cli('restart', 'a');
  succeeds(restarted, /a recovered/);
  assert.match(restarted.stderr, /recovering it here/);
  assert.deepEqual(world.restarts(), [a]);
  assert.match((await world.row(a)).notes ?? '', /^while you slept - Restarted at /, 'and the alarm is cleared');
  fails(await world.cli('restart', 'sick'), exitCodes.failed, /sick did not recover/);
  succeeds(await world.cli('breaker'), /sick\s+open/);
  succeeds(await world.cli('match', 'a'), /would start/);
  succeeds(await world.cli('hold', 'a', '--reason', 'kept'), /on hold/);
  fails(await world.cli('reload'), exitCodes.unavailable, /./);

  // What was ordered then holds for the daemon that comes.
  await world.raise(a);
  const daemon = await world.start();
  await daemon.line(/a not restarted: on hold: kept/);
  assert.equal((await statusOf(world, 'sick'))?.breaker.state, 'open');
  succeeds(await world.cli('release', 'a'), /released: a/);
  await world.allClear();
  assert.equal((await daemon.stop()).code, 0);
  assert.equal(existsSync(join(world.dir, 'state/daemon.pid')), false);

  // The state_dir's lock stands between a daemon without a socket and the command line.
  const other = await world.start();
  world.configure({ control: { socket: join(world.dir, 'elsewhere.sock') } });
  fails(await world.cli('restart', 'a'), exitCodes.conflict, new RegExp(`pid ${other.child.pid}\\b`));
  assert.equal((await other.stop()).code, 0);
  await world.nothingLeft();
});

async function statusOf(world: DaemonWorld, name: string): Promise<DaemonStatus['processes'][number] | undefined> {
  return (await world.status()).processes.find((process) => process.name === name);
}
