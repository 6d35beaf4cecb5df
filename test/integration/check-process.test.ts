import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RootProcess } from '../../src/core/program/roots.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { freePort } from '../helpers/free-port.ts';
import { checkOfProcesses, lookedAt } from '../helpers/process-check.ts';
import { processStrategyWorld } from '../helpers/process-strategy-world.ts';
import { isAlive, nobody, unique } from '../helpers/process-zoo.ts';
import { asRoot } from '../helpers/requirement.ts';
import { settled } from '../helpers/strategy-parts.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Runs this with the rights of nobody. */
async function asNobody<T>(run: () => Promise<T>): Promise<T> {
  process.seteuid?.(nobody.uid);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}

test('min and max count the copies of a program, as they come and go', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zcount');
  const path = world.zoo.sleeper(name);
  const check = checkOfProcesses(world, name, 'min = 2\nmax = 3');
  const none = checkOfProcesses(world, name, 'max = 0');
  assert.equal(check.description, `process ${name}`);
  assert.equal(await lookedAt(check), 'failing: not running (expected at least 2)');
  assert.equal(await lookedAt(none), 'ok');
  const first = await world.zoo.start(path);
  assert.equal(await lookedAt(check), 'failing: 1 process runs (expected at least 2)');
  assert.equal(await lookedAt(none), `failing: 1 process runs: pid ${first} (expected none)`);
  await world.zoo.start(path);
  assert.equal(await lookedAt(check), 'ok');
  await world.zoo.start(path);
  assert.equal(await lookedAt(check), 'ok');
  await world.zoo.start(path);
  assert.match(await lookedAt(check), /^failing: 4 processes run: pid \d+, \d+, \d+, \d+ \(expected at most 3\)$/);
  process.kill(first, 'SIGKILL');
  await waitFor('its end', () => !isAlive(first));
  assert.equal(await lookedAt(check), 'ok');
});

test('argument and pid_file tell programs of one name apart', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zapart');
  const path = world.zoo.sleeper(name);
  // Nobody else has them.
  const [one, two] = [`0.${process.pid}1`, `0.${process.pid}2`];
  const first = await world.zoo.start(path, ['301', one]);
  await world.zoo.start(path, ['302', two]);
  const alone = unique('zledger');
  assert.equal(await lookedAt(checkOfProcesses(world, alone, `argument = ${one}\nuser = root\nmax = 1`)), 'ok');
  const other = checkOfProcesses(world, alone, 'argument = http://joe:secret@x/');
  assert.equal(other.description, `process ${alone} with argument "http://***@x/"`);
  assert.match(await lookedAt(other), /^failing: not running /);
  const named = `system_name = ${name}\n`;
  assert.match(await lookedAt(checkOfProcesses(world, alone, `${named}max = 1`)), /^failing: 2 processes run: /);
  assert.equal(await lookedAt(checkOfProcesses(world, alone, `${named}argument = ${two}\nmax = 1`)), 'ok');
  const pidFile = join(world.zoo.dir, 'pid');
  writeFileSync(pidFile, `${first}\n`);
  const byFile = checkOfProcesses(world, alone, `pid_file = ${pidFile}`);
  assert.equal(await lookedAt(byFile), 'ok');
  const both = await lookedAt(checkOfProcesses(world, alone, `${named}pid_file = ${pidFile}\nmax = 1`));
  assert.match(both, /^failing: 2 processes run: /, 'what has the name too is a further copy');
  process.kill(first, 'SIGKILL');
  await waitFor('its end', () => !isAlive(first));
  assert.match(await lookedAt(byFile), /^failing: not running /);
});

test('a process of another user does not count, and a user that does not exist is unknown', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zuser');
  await world.zoo.start(world.zoo.sleeper(name), ['300'], nobody);
  assert.equal(await lookedAt(checkOfProcesses(world, name, 'user = 65534')), 'ok');
  assert.equal(await lookedAt(checkOfProcesses(world, name, 'any_user = true')), 'ok');
  assert.match(await lookedAt(checkOfProcesses(world, name, 'user = 1')), /^failing: not running /);
  assert.match(await lookedAt(checkOfProcesses(world, name, `user = ${unique('nosuch')}`)), /^unknown: user: /);
});

test('age fails while the program has just been started', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zage');
  const pid = await world.zoo.start(world.zoo.sleeper(name));
  const check = checkOfProcesses(world, name, 'age = 3600');
  assert.match(
    await lookedAt(check),
    new RegExp(`^failing: age [\\d.]+ s of "${name}" \\(pid ${pid}\\) \\(expected at least 3600 s\\)$`),
  );
  const short = checkOfProcesses(world, name, 'age = 1');
  assert.equal(await waitFor('it is a second old', async () => ((await lookedAt(short)) === 'ok' ? 'ok' : '')), 'ok');
});

test('a look changes nothing of what the program is known by', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zknown');
  const gone: RootProcess[] = [{ pid: 2 ** 22 + 1, startTime: 5, ours: true, executable: '/bin/x', runId: 'run-x' }];
  world.parts.roots.set(name, gone);
  assert.match(await lookedAt(checkOfProcesses(world, name, '')), /^failing: not running /);
  await world.zoo.start(world.zoo.sleeper(name));
  assert.equal(await lookedAt(checkOfProcesses(world, name, '')), 'ok');
  assert.equal(world.parts.roots.get(name), gone);
});

test('a look that takes too long or is aborted is unknown, and the next one waits for it', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zslow');
  await world.zoo.start(world.zoo.sleeper(name));
  const clock = new FakeClock();
  const held = Promise.withResolvers<void>();
  let looks = 0;
  const look = async () => {
    looks += 1;
    await held.promise;
    return world.parts.look();
  };
  const check = checkOfProcesses(world, name, '', { clock, look });
  const late = await settled(clock, lookedAt(check, 5000));
  assert.equal(late, 'unknown: the processes could not be read within 5 s');
  const stop = new AbortController();
  const aborted = lookedAt(check, 5000, stop.signal);
  stop.abort();
  assert.equal(await aborted, 'unknown: aborted');
  assert.equal(await settled(clock, lookedAt(check, 5000)), 'unknown: the processes could not be read within 5 s');
  assert.equal(looks, 1, 'the first one is still under way');
  held.resolve();
  assert.equal(await lookedAt(check, 5000), 'ok');
});

test('a look that throws is unknown', async (t) => {
  const world = processStrategyWorld(t);
  const look = () => Promise.reject(new Error('no table'));
  assert.equal(await lookedAt(checkOfProcesses(world, 'x', '', { look })), 'unknown: internal error: no table');
});

test('what belongs to others and cannot be read is unknown', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zsecret');
  const pid = await world.zoo.start(world.zoo.sleeper(name));
  const port = await freePort();
  const sockets = checkOfProcesses(world, name, `any_user = true\nlistens = ${port}`);
  const none = checkOfProcesses(world, name, `any_user = true\nlistens = ${port}\nmax = 0`);
  assert.match(await lookedAt(sockets), /^failing: no listener on /);
  const read = await asNobody(async () => [await lookedAt(sockets), await lookedAt(none)]);
  assert.deepEqual(read, [
    `unknown: the sockets of "${name}" (pid ${pid}) cannot all be read`,
    `failing: 1 process runs: pid ${pid} (expected none)`,
  ]);
});
