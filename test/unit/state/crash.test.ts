import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { readState } from '../../../src/state/read-state.ts';
import { openState, StateHeldError } from '../../../src/state/state.ts';
import { holderOf } from '../../helpers/lock-holder.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const clock = systemClock;

test('after SIGKILL in a burst: what was begun is there, what was ended is not, and the lock is free', async (t) => {
  const dir = tempDir(t);
  for (const lines of [1, 50, 400]) {
    const burst = startBurst(t, dir);
    await waitFor('the burst', () => burst.output().split('\n').length > lines);
    await burst.kill();
    const said = burst.output().split('\n').slice(0, -1);
    const names = (word: string): string[] =>
      said.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(' ')[1] ?? '');
    const log = new RecordedLog();
    assert.equal(holderOf(dir), undefined);
    const state = openState(dir, { log, clock });
    const found = new Set(state.journal.list().map(({ target }) => target));
    const ending = new Set(names('ending'));
    if (lines === 400) assert.ok(names('begun').length > 0 && names('ended').length > 0, said.join());
    for (const name of names('begun')) assert.ok(found.has(name) || ending.has(name), `${name} was begun and is lost`);
    for (const name of names('ended')) assert.ok(!found.has(name), `${name} was ended and is back`);
    assert.ok(found.size > 0);
    assert.deepEqual(log.lines, []);
    for (const name of found) state.journal.end(name);
    state.close();
  }
});

test("a second daemon is refused and learns the first one's pid", async (t) => {
  const dir = tempDir(t);
  const burst = startBurst(t, dir);
  await waitFor('the first', () => burst.output() !== '');
  assert.throws(
    () => openState(dir, { log: new RecordedLog(), clock }),
    (error) => error instanceof StateHeldError && error.pid === burst.pid && error.message.includes(`pid ${burst.pid}`),
  );
  assert.equal(holderOf(dir), burst.pid);
  await burst.kill();
  openState(dir, { log: new RecordedLog(), clock }).close();
});

test('a look at the state after a crash sees everything and changes nothing', async (t) => {
  const dir = tempDir(t);
  const burst = startBurst(t, dir);
  await waitFor('the burst', () => burst.output().split('\n').length > 100 && isHistoryWritten(dir));
  await burst.kill();
  const before = contents(dir);
  const look = readState(dir, clock);
  assert.ok(look.kind === 'read');
  assert.ok(look.state.journal.list().length > 10);
  assert.ok(look.state.history.find({ limit: 5 }).length === 5);
  look.state.journal.end('t0');
  look.state.close();
  assert.deepEqual(contents(dir), before);
});

/** The history reaches the disk some time after the journal does. */
function isHistoryWritten(dir: string): boolean {
  const look = readState(dir, clock);
  if (look.kind !== 'read') return false;
  const { length } = look.state.history.find({ limit: 5 });
  look.state.close();
  return length === 5;
}

/** A process that fills the journal until it is killed; killed at the test's end at the latest. */
function startBurst(t: TestContext, dir: string) {
  const script = join(import.meta.dirname, '../../fixtures/state/journal-burst.ts');
  const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
  };
  t.after(kill);
  return { pid: child.pid, output: () => output, kill };
}

/** Every file with its content, but for SQLite's shared memory, which holds readers' marks. */
function contents(dir: string): unknown[] {
  return readdirSync(dir).map((name) => [
    name,
    statSync(join(dir, name)).mode,
    name.endsWith('-shm') ? '' : readFileSync(join(dir, name), 'base64'),
  ]);
}
