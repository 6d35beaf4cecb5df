import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { hostileNames } from '../helpers/hostile-names.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

const note = (before = ''): RegExp => new RegExp(`^${before} - Restarted at \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d$`);

test('alarms raised by plain SQL are healed and cleared, and the note says when', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  const [bare, noted, empty, acknowledged] = [
    await world.add('a'),
    await world.add('b'),
    await world.add('c'),
    await world.add('d'),
  ];
  const [nameless, blank] = [await world.add(null), await world.add(' ')];
  await world.raise(bare);
  await world.raise(noted, 'DISK FULL  ');
  const daemon = await world.start();
  await world.allClear();
  await world.raise(empty, '');
  for (const id of [nameless, blank]) await world.raise(id);
  await world.sql('UPDATE STATUS_PROCESS SET alarma = 1, sound = 1 WHERE process_id = ?', [acknowledged]);
  const left = [acknowledged, nameless, blank];
  await world.allClear({ except: left });
  assert.match((await world.row(bare)).notes ?? '', note());
  await world.raise(bare, 'again');
  await world.allClear({ except: left });
  assert.equal((await daemon.stop()).code, 0);

  assert.match((await world.row(bare)).notes ?? '', note('again'));
  assert.match((await world.row(noted)).notes ?? '', note('DISK FULL  '));
  assert.match((await world.row(empty)).notes ?? '', note());
  assert.deepEqual({ ...(await world.row(acknowledged)) }, { alarma: 1, sound: 1, notes: null });
  assert.deepEqual(world.restarts().sort(), [bare, noted, empty, bare].sort());
  const log = readFileSync(world.logFile, 'utf8');
  assert.equal(log.match(/without a name/g)?.length, 2, 'each nameless row is told of once');
  for (const line of log.trimEnd().split('\n'))
    assert.match(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\[(INFO|WARNING|ERROR)\] - /);
  await world.nothingLeft();
});

test('a restart command that never ends is killed at its limit while others are served', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), {
    monitor: { max_concurrent_restarts: 2, max_restart_failures: 1 },
    'process.endless': { restart_command: 'trap "" TERM; sleep 600 & sleep 600', command_timeout: 4, max_attempts: 1 },
  });
  const endless = await world.add('endless');
  const others = [await world.add('a'), await world.add('b'), await world.add('c')];
  await world.raise(endless);
  const daemon = await world.start();
  await daemon.line(/Found process in alarm: endless/);
  for (const id of others) await world.raise(id);
  await world.allClear({ except: [endless] });
  assert.doesNotMatch(daemon.stdout(), /still running/, 'the others were served while it ran');
  await daemon.line(/Failed to restart endless: .*still running after 4 s, killed/);
  await daemon.line(/Circuit breaker opened for endless/);
  assert.equal((await world.row(endless)).alarma, 1);
  assert.equal((await daemon.stop()).code, 0);
  await world.nothingLeft();
});

test('names full of malice do no harm, and reach the log printable', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), {
    monitor: { check_interval: 2, max_restart_failures: 1000 },
  });
  world.configure({
    'process.default': { max_attempts: 1, restart_command: `: %s; echo %s >> ${join(world.dir, 'harmless')}` },
  });
  const bait = join(world.dir, 'bait');
  const names = hostileNames(bait);
  const ids: number[] = [];
  for (const name of names) ids.push(await world.add(name));
  const withNul = await world.add('nul\0byte');
  await world.sql('UPDATE STATUS_PROCESS s JOIN PROCESE p USING (process_id) SET alarma = 1, notes = REPEAT(process_name, 20)');
  const daemon = await world.start();
  await world.until('every name was refused or served', async () => {
    const verdicts = /(?:Failed to restart|Alarm cleared for)/g;
    if ((daemon.stdout().match(verdicts)?.length ?? 0) <= names.length) return false;
    // One may have been refused twice already, and another not yet served.
    const { processes, recovering } = await world.status();
    return recovering === 0 && processes.every(({ inAlarm, breaker }) => inAlarm === false || breaker.failures > 0);
  });
  const refused = await world.sql<{ process_id: number }>('SELECT process_id FROM STATUS_PROCESS WHERE alarma = 1');
  assert.ok(refused.length > 50, `${refused.length} of ${names.length} names never stand for %s`);

  // What a name must not be put into, a variable brings safely.
  const own = join(world.dir, 'names');
  world.configure({ 'process.default': { restart_command: `printenv -0 MONITOR_PROCESS_NAME >> ${own}` } });
  daemon.child.kill('SIGHUP');
  await daemon.line(/Configuration reloaded/);
  await world.sql('UPDATE STATUS_PROCESS SET alarma = 1');
  await world.allClear({ except: [withNul], limitMs: 60_000 });
  assert.equal((await world.row(withNul)).alarma, 1, 'no environment can hold a NUL byte');
  assert.equal((await daemon.stop()).code, 0);
  const got = readFileSync(own, 'utf8').split('\0').filter(Boolean);
  assert.deepEqual(new Set(got), new Set(names));

  assert.equal(existsSync(bait), false, 'nothing of a name was run');
  assert.doesNotMatch(readFileSync(join(world.dir, 'harmless'), 'utf8'), /harm/, 'none became another by what was left out');
  assert.match(daemon.stdout(), /"harmless\\u3164" cannot stand for %s in a command \(it holds U\+3164, which is invisible\)/);
  const said = `${daemon.stdout()}${readFileSync(world.logFile, 'utf8')}`.trimEnd().split('\n');
  for (const line of said) {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u);
    assert.doesNotMatch(line, /^2000/, 'no line is forged');
  }
  assert.equal((await world.sql('SELECT 1 FROM PROCESE')).length, names.length + 1);
  await world.nothingLeft();
});
