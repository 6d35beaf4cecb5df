import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { acquireLock } from '../../../src/state/lock.ts';
import { endAfter } from '../../helpers/end-after.ts';
import { holderOf } from '../../helpers/lock-holder.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

test('one holder at a time, who is named, and a release that frees it', (t) => {
  const dir = tempDir(t);
  assert.equal(holderOf(dir), undefined);
  const lock = acquireLock(dir);
  assert.ok(lock.kind === 'acquired');
  assert.deepEqual(acquireLock(dir), { kind: 'held', pid: process.pid });
  assert.deepEqual(acquireLock(dir), { kind: 'held', pid: process.pid }, 'a refused starter must not free it');
  assert.equal(holderOf(dir), process.pid);
  lock.release();
  assert.equal(holderOf(dir), undefined);
  assert.deepEqual(readdirSync(dir), ['daemon.lock']);
  const next = acquireLock(dir);
  assert.ok(next.kind === 'acquired');
  next.release();
});

test('a pid file left by a crash names nobody, though its number lives', (t) => {
  const dir = tempDir(t);
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  for (const content of ['', '1', `${process.pid} 1 ${bootId}`, `4194305 5 ${bootId}`, '../1 x y', '\u0000', '1 '.repeat(9)]) {
    writeFileSync(join(dir, 'daemon.pid'), content);
    assert.equal(holderOf(dir), undefined, content);
  }
});

test('one that has ended and is not yet asked for by its parent runs nothing', async (t) => {
  const dir = tempDir(t);
  // It ends once its parent is no shell any more, for a shell may ask for it.
  const child = `sh -c 'until [ "$(cat /proc/$PPID/comm)" = sleep ]; do sleep 0.01; done' &`;
  const parent = spawn('sh', ['-c', `${child} echo $!; exec sleep 60`], { stdio: ['ignore', 'pipe', 'inherit'] });
  endAfter(t, parent);
  const [bytes] = await once(parent.stdout, 'data');
  const pid = Number(String(bytes));
  const stat = (): string[] => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  await waitFor('its end', () => stat()[0] === 'Z');
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  writeFileSync(join(dir, 'daemon.pid'), `${pid} ${stat()[19]} ${bootId} daemon\n`);
  assert.equal(holderOf(dir), undefined);
});

test('a daemon whose file is gone is known by its lock', async (t) => {
  const dir = tempDir(t);
  const lock = join(import.meta.dirname, '../../../src/state/lock.ts');
  const script = `import(${JSON.stringify(lock)}).then(({ acquireLock }) => {
    const lock = acquireLock(process.argv[1]);
    process.stdin.on('data', (name) => { require('node:fs').writeFileSync('/proc/self/comm', name); console.log(lock.kind); });
  })`;
  const child = spawn(process.execPath, ['-e', script, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = endAfter(t, child);
  child.stdin.write('another');
  assert.equal(String(await once(child.stdout, 'data')), 'acquired\n');
  assert.equal(holderOf(dir), child.pid);
  rmSync(join(dir, 'daemon.pid'));
  assert.equal(holderOf(dir), undefined, 'no daemon is called so');
  child.stdin.write('monitor_service');
  await once(child.stdout, 'data');
  assert.equal(holderOf(dir), child.pid);
  assert.deepEqual(acquireLock(dir), { kind: 'held', pid: child.pid });
  assert.deepEqual(readdirSync(dir), ['daemon.lock']);
  const us = process.geteuid?.() ?? 0;
  if (us === 0) {
    chownSync(join(dir, 'daemon.lock'), 4711, 0);
    assert.equal(holderOf(dir), undefined, 'a file of somebody else’s');
    chownSync(join(dir, 'daemon.lock'), us, 0);
  }
  child.kill('SIGKILL');
  await ended;
  assert.equal(holderOf(dir), undefined);
});

test('a holder that could not write itself down still holds', (t) => {
  const dir = tempDir(t);
  const lock = acquireLock(dir);
  assert.ok(lock.kind === 'acquired');
  writeFileSync(join(dir, 'daemon.pid'), 'garbage');
  assert.deepEqual(acquireLock(dir), { kind: 'held', pid: undefined });
  lock.release();
});

test('a lock file with garbage in it is emptied', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'daemon.lock'), 'garbage '.repeat(1_000), { mode: 0o600 });
  const lock = acquireLock(dir);
  assert.ok(lock.kind === 'acquired');
  assert.equal(acquireLock(dir).kind, 'held');
  lock.release();
});

test('of starters at the same moment one gets it, and the others learn which', async (t) => {
  const dir = tempDir(t);
  const starters = Array.from({ length: 6 }, () => {
    const script = join(import.meta.dirname, '../../fixtures/state/lock-starter.ts');
    const child = spawn(process.execPath, [script, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
    endAfter(t, child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    return { child, lines: () => output.split('\n').slice(0, -1) };
  });
  await waitFor('all of them', () => starters.every(({ lines }) => lines().length === 1));
  for (const { child } of starters) child.stdin.write('go\n');
  await waitFor('their answers', () => starters.every(({ lines }) => lines().length === 2));
  const answers = starters.map(({ child, lines }) => ({ pid: child.pid, lock: JSON.parse(lines()[1] ?? '') }));
  const winners = answers.filter(({ lock }) => lock.kind === 'acquired');
  assert.equal(winners.length, 1, JSON.stringify(answers));
  for (const { lock } of answers) assert.ok(lock.kind === 'acquired' || lock.pid === winners[0]?.pid, JSON.stringify(answers));
});
