import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessEnds } from '../../../../src/system/process-events/ends.ts';

/** `alive`: what /proc says; `asked`: of whom. */
function world() {
  const alive = new Set<number>();
  const asked: number[] = [];
  const ends = new ProcessEnds((pid) => {
    asked.push(pid);
    return alive.has(pid);
  });
  return { alive, asked, ends };
}

test('who never had threads ends with its only one, and nobody is asked', () => {
  const { alive, asked, ends } = world();
  alive.add(7);
  ends.processStarted(7);
  assert.equal(ends.firstThreadEnded(7, 1, 0), true);
  assert.deepEqual(asked, []);
});

test('who was there before us, had threads or is unknown after a loss is looked up', () => {
  const { asked, ends } = world();
  assert.equal(ends.firstThreadEnded(5, 1, 0), true);
  ends.processStarted(6);
  ends.threadStarted(6);
  assert.equal(ends.firstThreadEnded(6, 1, 0), true);
  ends.processStarted(7);
  ends.forget();
  assert.equal(ends.firstThreadEnded(7, 1, 0), true);
  assert.deepEqual(asked, [5, 6, 7]);
});

test('a process whose first thread ends first ends with its last one, and with the status of that', () => {
  const { alive, ends } = world();
  ends.processStarted(7);
  ends.threadStarted(7);
  alive.add(7);
  assert.equal(ends.firstThreadEnded(7, 4, 0), false);
  assert.equal(ends.threadEnded(7, 0), undefined);
  alive.delete(7);
  assert.deepEqual(ends.threadEnded(7, 9), { pid: 7, parentPid: 4, status: 9 });
  assert.equal(ends.threadEnded(7, 9), undefined);
  assert.equal(ends.waiting, false);
});

test('a thread that executes a program becomes the first: the process has not ended, and has one thread from then on', () => {
  const { alive, asked, ends } = world();
  ends.threadStarted(7);
  alive.add(7);
  assert.equal(ends.firstThreadEnded(7, 4, 0), false);
  ends.executed(7);
  assert.equal(ends.waiting, false);
  asked.length = 0;
  assert.equal(ends.firstThreadEnded(7, 4, 256), true);
  assert.deepEqual(asked, []);
});

test('an end that no event reported is found by looking again, or because another process has its number', () => {
  const { alive, ends } = world();
  for (const pid of [7, 8, 9]) {
    alive.add(pid);
    ends.firstThreadEnded(pid, 4, 0);
  }
  assert.deepEqual(ends.lookAgain(), []);
  alive.delete(8);
  assert.deepEqual(ends.lookAgain(), [{ pid: 8, parentPid: 4, status: 0 }]);
  assert.deepEqual(ends.processStarted(9), { pid: 9, parentPid: 4, status: 0 });
  assert.equal(ends.waiting, true);
  assert.equal(ends.processStarted(9), undefined);
});
