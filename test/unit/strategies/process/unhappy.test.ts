import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attemptFor, managed, processStrategyWorld } from '../../../helpers/process-strategy-world.ts';
import { isAlive, unique } from '../../../helpers/process-zoo.ts';
import { kill, pidsOf } from '../../../helpers/program-in-path.ts';
import { never } from '../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

// What happens beside a restart, and what cannot be told, must not lead to a second copy or a wrong stop.

test('what nobody wants any more is not started after a wait, nor waited for', async (t) => {
  const world = processStrategyWorld(t);
  const path = world.zoo.sleeper(unique('zheld'));
  const name = path.slice(path.lastIndexOf('/') + 1);
  await world.zoo.start('/bin/bash', ['-c', `while :; do ${path} 300; sleep 600; done`]);
  const pid = await waitFor('it', () => pidsOf(world, path)[0]);
  const strategy = world.strategy({ supervisorWaitMs: 300_000, startCommand: `exec ${path} 300` });
  await strategy.observe(managed(name));
  process.kill(pid, 'SIGKILL');
  await waitFor('end', () => !isAlive(pid));
  let asked = 0;
  const isUnwanted = async (): Promise<boolean> => ++asked > 0;
  const outcome = await strategy.restart({ ...attemptFor(name), isUnwanted });
  assert.deepEqual(outcome, { kind: 'failed', reason: 'no longer wanted: its alarm has ended, or it is on hold' });
  assert.deepEqual(pidsOf(world, path), []);
});

test('a supervisor has its time again if nobody saw the program come back and go again', async (t) => {
  const world = processStrategyWorld(t);
  const path = world.zoo.sleeper(unique('zunseen'));
  const name = path.slice(path.lastIndexOf('/') + 1);
  const gate = (number: number): string => join(world.zoo.dir, `gate${number}`);
  const loop = `n=0; while :; do ${path} 300; n=$((n + 1)); while ! [ -e ${gate(0).slice(0, -1)}$n ]; do sleep 0.05; done; sleep 0.5; done`;
  await world.zoo.start('/bin/bash', ['-c', loop]);
  const strategy = world.strategy({ supervisorWaitMs: 2000 });
  const first = await waitFor('it', () => pidsOf(world, path)[0]);
  await strategy.observe(managed(name));
  process.kill(first, 'SIGKILL');
  await waitFor('end', () => !isAlive(first));
  // An operator's look while it is down; its return is seen by nobody.
  await strategy.preview(managed(name), never);
  const lookedMs = performance.now();
  writeFileSync(gate(1), '');
  const second = await waitFor('its return', () => pidsOf(world, path)[0]);
  await waitFor('the time of that look is over', () => performance.now() - lookedMs > 2200);
  process.kill(second, 'SIGKILL');
  await waitFor('end', () => !isAlive(second));
  writeFileSync(gate(2), '');
  const outcome = await strategy.restart(attemptFor(name));
  assert.match(JSON.stringify(outcome), /nothing was running, its supervisor bash \(pid \d+\) started pid/);
  assert.equal(pidsOf(world, path).length, 1);
});

test('two names of one program are one target, over a restart and once it is dead', async (t) => {
  const world = processStrategyWorld(t);
  const path = world.zoo.sleeper(unique('zsame'));
  const names = [path.slice(path.lastIndexOf('/') + 1), path];
  await world.zoo.start(path);
  await waitFor('it', () => pidsOf(world, path).length === 1);
  const strategies = names.map(() => world.strategy());
  const keys = async () => {
    const all = await Promise.all(names.map((name, index) => strategies[index]?.resolve(managed(name, true), never)));
    return all.map((resolution) => (resolution?.kind === 'target' ? resolution.key : undefined));
  };
  await keys();
  const [key, same] = await keys();
  assert.equal(key, same);
  assert.equal((await strategies[0]?.restart(attemptFor(names[0] ?? '', true)))?.kind, 'restarted');
  assert.deepEqual(await keys(), [key, key]);
  await kill(pidsOf(world, path)[0] ?? 0);
  strategies.splice(0, 2, world.strategy(), world.strategy());
  assert.deepEqual(await keys(), [key, key]);
});

test('a unit that systemd does not speak of is not taken for none: nothing is stopped, and what was recorded stays', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zmain');
  const pid = await world.zoo.start(world.zoo.sleeper(name));
  const read = world.table.read.bind(world.table);
  world.table.read = ((of: number, ...rest: Parameters<typeof read> extends [unknown, ...infer R] ? R : never) => {
    const seen = read(of, ...rest);
    return seen !== undefined && of === pid ? { ...seen, unit: 'zmain.service' } : seen;
  }) as typeof world.table.read;
  const status = {
    id: 'zmain.service',
    loadState: 'loaded',
    activeState: 'active',
    subState: 'running',
    result: 'success',
    mainPid: pid,
    type: 'simple',
    controlGroup: '/system.slice/zmain.service',
    hasJob: false,
    endedByStop: false,
  };
  let isSilent = false;
  const calls: string[] = [];
  Object.assign(world.parts.services, {
    available: true,
    show: async () => (isSilent ? { kind: 'failed', reason: 'timed out' } : { kind: 'status', status }),
    call: async (verb: string) => {
      calls.push(verb);
      return { kind: 'done' };
    },
  });
  const strategy = world.strategy({ commandTimeoutMs: 300 });
  // Not seen before, and not to be told now: refused.
  isSilent = true;
  await strategy.observe(managed(name));
  assert.match(
    JSON.stringify(await strategy.restart(attemptFor(name))),
    /not restarted: systemd does not say what zmain\.service is/,
  );
  assert.match((await strategy.preview(managed(name), never)).refusals.join(), /systemd does not say/);
  isSilent = false;
  await strategy.observe(managed(name));
  assert.equal(world.parts.roots.lastUnit(name), 'zmain.service');
  isSilent = true;
  const outcome = await strategy.restart(attemptFor(name));
  assert.equal(outcome.kind, 'failed', JSON.stringify(outcome));
  assert.deepEqual(calls, []);
  assert.ok(isAlive(pid));
  assert.equal(world.parts.roots.lastUnit(name), 'zmain.service');
});

test('a worker that the second copy left behind does not show how that is started', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zworkers');
  const file = join(world.zoo.dir, 'srv.py');
  const lines = [
    'import os, time',
    'if os.fork() == 0:',
    '  os.setgid(65534); os.setuid(65534)',
    'while True: time.sleep(300)',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const env = { PATH: '/usr/bin:/bin', ZOO: world.zoo.dir };
  const start = () => world.zoo.start('/usr/bin/python3', [file], { env });
  await start();
  const second = await start();
  const runs = () =>
    world.table.list(['argv', 'state', 'uids']).filter(({ argv, state }) => state !== 'Z' && argv?.includes(file));
  await waitFor('both with a worker', () => runs().filter(({ uids }) => uids?.saved === 65534).length === 2);
  const strategy = world.strategy({ maxMatches: 2, argument: file });
  await strategy.observe(managed(name), world.parts.look);
  process.kill(second, 'SIGKILL');
  await waitFor('end', () => !isAlive(second));
  const { starts } = await strategy.preview(managed(name), never);
  assert.deepEqual(
    starts.map((line) => /\(user root \((\d+)\),/.exec(line)?.[1]),
    ['0', '0'],
  );
});
