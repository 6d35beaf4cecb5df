import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../helpers/free-port.ts';
import { checkOfProcesses, lookedAt, startBash, startNode } from '../helpers/process-check.ts';
import { processStrategyWorld } from '../helpers/process-strategy-world.ts';
import { unique } from '../helpers/process-zoo.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Whether this machine has an address `::1`. */
function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
}

test('listens: the program or a descendant must listen there', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zlisten');
  const [any, local, free] = [await freePort(), await freePort(), await freePort()];
  await startNode(
    world,
    name,
    `const net = require('node:net');
     net.createServer().listen(${any}, '0.0.0.0', () => net.createServer().listen(${local}, '127.0.0.1', ready));`,
  );
  // Somebody else listens there.
  const other = createServer().listen(free, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const check = (listens: string) => lookedAt(checkOfProcesses(world, name, `listens = ${listens}`));
  assert.equal(await check(`${any}, ${local}, 127.0.0.1:${any}, 127.0.0.1:${local}`), 'ok');
  assert.equal(await check(`${any}, ${free}`), `failing: no listener on ${free} among 1 process (expected one)`);
  const elsewhere = `127.0.0.2:${local}, [::1]:${any}`;
  assert.equal(await check(elsewhere), `failing: no listener on ${elsewhere} among 1 process (expected one on each)`);
});

test('listens: a descendant counts, a process beside it does not', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zworker');
  const port = await freePort();
  // A listener of `::` accepts IPv4 too.
  const [host, wanted] = hasIpv6() ? ['::', '[::1]'] : ['127.0.0.1', '127.0.0.1'];
  const worker = `require('node:net').createServer().listen(${port}, '${host}', () => console.log('up'))`;
  await startNode(
    world,
    name,
    `const { spawn } = require('node:child_process');
     const stdio = ['ignore', 'pipe', 'ignore'];
     spawn(process.execPath, ['-e', ${JSON.stringify(worker)}], { stdio }).stdout.on('data', ready);`,
  );
  const listens = `listens = ${wanted}:${port}, 127.0.0.1:${port}`;
  assert.equal(await lookedAt(checkOfProcesses(world, name, listens)), 'ok');
  const beside = unique('zbeside');
  await world.zoo.start(world.zoo.sleeper(beside));
  assert.match(await lookedAt(checkOfProcesses(world, beside, `listens = ${port}`)), /^failing: no listener on \d+ among 1 /);
});

test('cpu_percent is measured between two looks, over the descendants too', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zbusy');
  const flag = join(world.zoo.dir, 'go');
  // It sleeps first, so that its lifetime is longer than what it uses.
  const path = world.zoo.script(
    name,
    `#!/bin/bash\n(while [ ! -e ${flag} ]; do sleep 0.05; done; while :; do :; done) &\nwait\n`,
  );
  const pid = await world.zoo.start(path);
  await waitFor('comm', () => world.table.read(pid, ['name'])?.name === name);
  const [low, high] = [checkOfProcesses(world, name, 'cpu_percent = 0.5'), checkOfProcesses(world, name, 'cpu_percent = 120')];
  writeFileSync(flag, '');
  const child = await waitFor('the loop', () => {
    const children = world.table.list(['ppid', 'userCpuMs']).filter(({ ppid }) => ppid === pid);
    return children.find(({ userCpuMs }) => userCpuMs > 300)?.pid;
  });
  assert.deepEqual([await lookedAt(low), await lookedAt(high)], ['ok', 'ok'], 'the first look says nothing');
  const failing = await waitFor('it is seen', async () => /^failing: .*/.exec(await lookedAt(low))?.[0]);
  assert.match(failing, /^failing: cpu [\d.]+ % of 2 processes \(expected at most 0\.5 %\)$/);
  assert.equal(await lookedAt(high), 'ok', 'one loop uses one core');
  process.kill(child, 'SIGSTOP');
  await waitFor('what it used before does not count any more', async () => (await lookedAt(low)) === 'ok');
});

test('memory and threads are sums', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zbig');
  const pids = [0, 1].map(() => startNode(world, name, 'globalThis.kept = Buffer.alloc(64 * 1024 * 1024, 1); ready();'));
  const [one, other] = await Promise.all(pids);
  const check = (lines: string) => lookedAt(checkOfProcesses(world, name, `max = 2\n${lines}`));
  const threads = [one, other].flatMap((pid) => readdirSync(`/proc/${pid}/task`)).length;
  assert.match(await check('memory = 128M'), /^failing: memory [\d.]+ MiB of 2 processes \(expected at most 128 MiB\)$/);
  assert.equal(await check('memory = 4G'), 'ok');
  const few = `failing: threads ${threads} of 2 processes (expected at most ${threads - 1})`;
  assert.equal(await check(`threads = ${threads - 1}`), few);
  assert.equal(await check(`threads = ${threads}`), 'ok');
  const both = await check('memory = 1\nthreads = 1');
  assert.match(both, /^failing: memory [^;]* \(expected at most 1 byte\); threads [^;]* \(expected at most 1\)$/);
});

test('descriptors are those of the single process that has the most', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zopen');
  await startBash(world, name, ':');
  const pid = await startBash(world, name, 'for i in {1..200}; do exec {fd}</dev/null; done');
  const count = readdirSync(`/proc/${pid}/fd`).length;
  assert.ok(count > 200);
  const check = (limit: number) => lookedAt(checkOfProcesses(world, name, `descriptors = ${limit}`));
  const failing = `failing: descriptors ${count} of "sleep" (pid ${pid}) (expected at most ${count - 1} of one process)`;
  assert.equal(await check(count - 1), failing);
  assert.equal(await check(count), 'ok');
});

test('a zombie uses nothing', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zwaits');
  // What has replaced the shell collects nobody's exit status.
  const pid = await startBash(world, name, 'sleep 0 &');
  await waitFor('the zombie', () => world.table.list(['ppid', 'state']).some((one) => one.ppid === pid && one.state === 'Z'));
  const reading = await lookedAt(checkOfProcesses(world, name, 'memory = 1'));
  assert.match(reading, /^failing: memory [^;]* of 1 process \(expected /);
});

test('listens: a process with very many descriptors may listen with one that is not read', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zmany');
  await startBash(world, name, 'ulimit -n 8192; for i in {1..4200}; do exec {fd}</dev/null; done');
  const reading = await lookedAt(checkOfProcesses(world, name, `listens = ${await freePort()}`));
  assert.match(reading, /^unknown: the sockets of "sleep" \(pid \d+\) cannot all be read$/);
});

test('a tree of 2,000 descendants is looked at quickly', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('ztree');
  const path = world.zoo.script(name, '#!/bin/bash\nfor i in {1..2000}; do sleep 300 & done\nwait\n');
  const pid = await world.zoo.start(path);
  const children = () => world.table.list(['ppid', 'name']).filter(({ ppid, name: comm }) => ppid === pid && comm === 'sleep');
  await waitFor('all of them', () => children().length === 2000, 300_000);
  const lines = `threads = 1\nmemory = 1\ndescriptors = 1\ncpu_percent = 0\nlistens = ${await freePort()}`;
  const check = checkOfProcesses(world, name, lines);
  const began = performance.now();
  assert.match(await lookedAt(check), /^failing: no listener .* among 2001 processes .*; threads 2001 of 2001 processes /);
  const tookMs = performance.now() - began;
  t.diagnostic(`${Math.round(tookMs)} ms`);
  // On an idle machine it takes less than half a second.
  assert.ok(tookMs < 20_000, `${tookMs} ms`);
});
