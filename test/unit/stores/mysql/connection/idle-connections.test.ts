import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { IdleConnections } from '../../../../../src/stores/mysql/connection/idle-connections.ts';

/** A minute's limit on a clock of the test's own, connections by name, and which of them were ended; `timers`: how often one ran. */
function world() {
  const ended: string[] = [];
  let nowMs = 0;
  const clock = mock.method(performance, 'now', () => nowMs);
  mock.timers.enable({ apis: ['setTimeout'] });
  const idle = new IdleConnections<{ end(): void }>(60_000);
  const look = mock.method(globalThis, 'setTimeout', globalThis.setTimeout);
  return {
    idle,
    ended,
    connection: (name: string) => ({ end: () => void ended.push(name) }),
    timers: () => look.mock.callCount(),
    pass: (ms: number) => {
      nowMs += ms;
      mock.timers.tick(ms);
    },
    close: () => {
      clock.mock.restore();
      look.mock.restore();
      mock.timers.reset();
    },
  };
}

test('a connection that is idle for the limit is ended, once, and one that is used is not', (t) => {
  const { idle, ended, connection, pass, close } = world();
  t.after(close);
  const [polls, other] = [connection('polls'), connection('other')];
  idle.add(other);
  for (let second = 0; second < 59; second++) {
    idle.add(polls);
    pass(1000);
    idle.delete(polls);
  }
  assert.deepEqual(ended, []);
  pass(1000);
  assert.deepEqual(ended, ['other']);
  idle.add(polls);
  pass(59_999);
  assert.deepEqual(ended, ['other']);
  pass(1);
  assert.deepEqual(ended, ['other', 'polls']);
  pass(600_000);
  assert.deepEqual(ended, ['other', 'polls']);
});

test('an hour of polls, one a second, runs a timer at most once in the limit', (t) => {
  const { idle, ended, connection, pass, timers, close } = world();
  t.after(close);
  const polls = connection('polls');
  for (let second = 0; second < 3600; second++) {
    idle.add(polls);
    pass(999);
    idle.delete(polls);
    pass(1);
  }
  assert.deepEqual(ended, []);
  assert.ok(timers() <= 62, String(timers()));
});

test('what was closed ends nothing any more', (t) => {
  const { idle, ended, connection, pass, timers, close } = world();
  t.after(close);
  idle.add(connection('before'));
  idle.close();
  const before = timers();
  idle.add(connection('after'));
  pass(120_000);
  assert.deepEqual(ended, []);
  assert.equal(timers(), before);
});
