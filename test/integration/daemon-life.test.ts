import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli } from '../helpers/daemon.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

test('SIGHUP takes up a valid file with the breakers kept, and leaves an invalid one', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), {
    monitor: { max_restart_failures: 1 },
    'process.sick': { restart_command: 'false', max_attempts: 1 },
  });
  const [sick, well] = [await world.add('sick'), await world.add('well')];
  await world.raise(sick);
  const daemon = await world.start();
  await daemon.line(/Circuit breaker opened for sick/);

  world.configure({
    database: { password: 'pa#ss "word' },
    monitor: { max_concurrent_restarts: 7 },
    'process.sick': { restart_command: 'false # with a secret' },
    'process.new': { priority: 3 },
  });
  daemon.child.kill('SIGHUP');
  await daemon.line(/Configuration reloaded: .*max_concurrent_restarts: \(not set\) -> 7/);
  const told = /Configuration reloaded: .*/.exec(daemon.stdout())?.[0] ?? '';
  for (const change of [
    /\[database\] password: changed/,
    /\[process\.sick\] restart_command: changed/,
    /\[process\.new\]: section added/,
  ])
    assert.match(told, change);
  // The password is wrong now: what the next tick finds shows that it was taken up.
  await daemon.line(/Alarm store (?:still )?cannot be used: .*Access denied/);
  world.configure({ database: { password: '' } });
  daemon.child.kill('SIGHUP');
  await daemon.line(/Alarm store is back/);
  await world.raise(well);
  await world.allClear({ except: [sick] });
  const breaker = (await world.status()).processes.find(({ name }) => name === 'sick')?.breaker;
  assert.equal(breaker?.state, 'open', 'the breaker is kept');

  const valid = readFileSync(world.configFile, 'utf8');
  appendFileSync(world.configFile, '\n[process.broken]\nmax_attempts = often\nrestart_strategy = magic\n');
  daemon.child.kill('SIGHUP');
  await daemon.line(/Configuration not reloaded: .*max_attempts/);
  await daemon.line(/Configuration not reloaded: .*restart_strategy/);
  const reload = await world.cli('reload');
  assert.notEqual(reload.code, 0);
  assert.match(reload.stderr, /max_attempts/);
  await world.raise(well);
  await world.allClear({ except: [sick] });
  writeFileSync(world.configFile, valid);
  assert.equal((await world.cli('reload')).code, 0);
  assert.equal((await daemon.stop()).code, 0);
  assert.doesNotMatch(`${daemon.stdout()}${daemon.stderr()}`, /pa#ss|with a secret/);
  await world.nothingLeft();
});

test('SIGTERM lets a running restart end, starts no new one, and ends with exit code 0', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), { monitor: { max_concurrent_restarts: 1 } });
  const go = join(world.dir, 'go');
  const command = `echo $MONITOR_PROCESS_ID >> ${world.dir}/restarts; until [ -e ${go} ]; do sleep 0.05; done; touch ${world.dir}/done`;
  world.configure({ 'process.default': { restart_command: command } });
  const [first, second] = [await world.add('a'), await world.add('b')];
  await world.raise(first);
  const daemon = await world.start();
  await world.until('the restart runs', () => world.restarts().length === 1);
  await world.raise(second);
  await daemon.line(/Found process in alarm: b/);
  const end = daemon.stop();
  await daemon.line(/monitor_service stopping/);
  writeFileSync(go, '');
  assert.deepEqual(await end, { code: 0, signal: null });
  assert.equal(existsSync(join(world.dir, 'done')), true, 'the command was not cut short');
  assert.deepEqual(world.restarts(), [first]);
  assert.equal((await world.row(first)).alarma, 0, 'it was cleared before the end');
  assert.equal((await world.row(second)).alarma, 1);
  assert.match(readFileSync(world.logFile, 'utf8'), /monitor_service stopped\n$/);
  await world.nothingLeft();
});

test('a second SIGTERM aborts what is running at once', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  world.configure({ 'process.default': { restart_command: `echo $MONITOR_PROCESS_ID >> ${world.dir}/restarts; sleep 600` } });
  const id = await world.add('a');
  await world.raise(id);
  const daemon = await world.start();
  await world.until('the restart runs', () => world.restarts().length === 1);
  const startedMs = performance.now();
  daemon.child.kill('SIGTERM');
  await daemon.line(/monitor_service stopping/);
  daemon.child.kill('SIGTERM');
  assert.equal((await daemon.ended).code, 0);
  assert.ok(performance.now() - startedMs < 10_000, 'no grace');
  assert.equal((await world.row(id)).alarma, 1);
  await world.nothingLeft();
});

test('a second daemon on the same state_dir refuses to start and names the first', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  const id = await world.add('a');
  const daemon = await world.start();
  const refused = await runCli(['run', '--config', world.configFile], { limitMs: 20_000 });
  assert.notEqual(refused.code, 0);
  assert.notEqual(refused.code, null, 'it ended by itself');
  assert.match(refused.stderr, new RegExp(`pid ${daemon.child.pid}\\b`));
  assert.doesNotMatch(refused.stderr, /\n\s+at /);
  await world.raise(id);
  await world.allClear();
  assert.equal((await world.status()).pid, daemon.child.pid, 'the first one still has its socket');
  assert.equal((await daemon.stop()).code, 0);
  await world.nothingLeft();
});

test('a log file that cannot be written: one complaint, and the healing continues', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  const inTheWay = join(world.dir, 'file');
  writeFileSync(inTheWay, '');
  world.configure({ logging: { file: join(inTheWay, 'monitor.log') } });
  const id = await world.add('a');
  const daemon = await world.start();
  for (let round = 1; round <= 3; round++) {
    await world.raise(id);
    await world.allClear();
  }
  // The way becomes free.
  rmSync(inTheWay);
  mkdirSync(inTheWay);
  await world.until('the log is written', () => existsSync(join(inTheWay, 'monitor.log')));
  assert.equal((await daemon.stop()).code, 0);
  assert.equal(daemon.stderr().match(/cannot be written/g)?.length, 1, daemon.stderr());
  assert.match(readFileSync(join(inTheWay, 'monitor.log'), 'utf8'), /Alarm cleared for a/, 'what was kept is written');
  await world.nothingLeft();
});

test('SIGUSR1 opens no debugger, neither in the daemon nor in a Node that was started without our flag', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  for (const flags of [[], ['--disable-sigusr1']]) {
    const daemon = await world.start(flags);
    daemon.child.kill('SIGUSR1');
    // A later signal that it has to act on: by then the first one has had its effect.
    daemon.child.kill('SIGHUP');
    await daemon.line(/Configuration reloaded/);
    assert.doesNotMatch(daemon.stderr(), /[Dd]ebugger/);
    assert.equal((await daemon.stop()).code, 0);
  }
});
