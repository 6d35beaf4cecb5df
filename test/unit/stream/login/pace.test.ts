import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginPace } from '../../../../src/stream/login/pace.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

/** Asks for turns and notes, in order, whose came and who was sent away. */
function world(): {
  clock: FakeClock;
  pace: LoginPace;
  come: string[];
  ask: (who: string, name?: string, gone?: AbortSignal) => void;
} {
  const clock = new FakeClock();
  const pace = new LoginPace(clock, new AbortController().signal);
  const come: string[] = [];
  const ask = (who: string, name = who, gone = new AbortController().signal): void => {
    void pace.turn(who, gone).then((isTurn) => come.push(isTurn ? name : `not ${name}`));
  };
  return { clock, pace, come, ask };
}

test('five at once, then one every two seconds, the newest first', async () => {
  const { clock, pace, come, ask } = world();
  for (let i = 1; i <= 9; i++) ask('a', String(i));
  await clock.advance(0);
  assert.deepEqual(come, ['1', '2', '3', '4', '5']);
  assert.ok(pace.isSlow('a') && !pace.isSlow('b'));
  await clock.advance(1999);
  assert.equal(come.length, 5);
  await clock.advance(1);
  ask('a', 'late');
  await clock.advance(4000);
  assert.deepEqual(come.slice(5), ['9', 'late', '8']);
  await clock.advance(4000);
  assert.deepEqual(come.slice(8), ['7', '6']);
  // After ten seconds of rest there are five again, and no more.
  await clock.advance(3_600_000);
  for (let i = 0; i < 9; i++) ask('a', 'again');
  await clock.advance(0);
  assert.equal(come.filter((name) => name === 'again').length, 5);
});

test('each has a pace of its own, and a right password costs nothing', async () => {
  const { clock, pace, come, ask } = world();
  for (let i = 0; i < 20; i++) ask('guesser');
  for (let i = 0; i < 100; i++) {
    ask('friend');
    await clock.advance(0);
    pace.recordSuccess('friend');
  }
  assert.equal(come.filter((name) => name === 'friend').length, 100);
  assert.equal(come.filter((name) => name === 'guesser').length, 5);
  pace.recordSuccess('new');
  for (let i = 0; i < 9; i++) ask('new');
  await clock.advance(0);
  assert.equal(come.filter((name) => name === 'new').length, 5, 'nor does it bring more than five');
});

test('nobody waits longer than 30 s; a client that has gone waits no more, and takes nobody’s turn', async () => {
  const { clock, come, ask } = world();
  const gone = new AbortController();
  for (let i = 0; i < 5; i++) ask('a', 'first');
  for (let i = 0; i < 40; i++) ask('a', 'waits');
  ask('a', 'gone', gone.signal);
  gone.abort();
  await clock.advance(30_000);
  // The last turn comes as the others' time is over.
  const served = come.filter((name) => name === 'waits').length;
  assert.ok(served === 14 || served === 15, `${served}`);
  assert.equal(come.filter((name) => name === 'not waits').length, 40 - served);
  assert.equal(come.filter((name) => name === 'gone').length, 0);
  assert.equal(come.filter((name) => name === 'not gone').length, 1);
});

test('the end sends all away', async () => {
  const clock = new FakeClock();
  const ending = new AbortController();
  const pace = new LoginPace(clock, ending.signal);
  const turns = Promise.all(Array.from({ length: 7 }, () => pace.turn('a', new AbortController().signal)));
  ending.abort();
  assert.deepEqual(await turns, [true, true, true, true, true, false, false]);
});

test('as many as there are users are not remembered for ever', async () => {
  const { clock, pace, ask } = world();
  for (let i = 0; i < 5; i++) ask('first');
  await clock.advance(0);
  assert.ok(pace.isSlow('first'));
  for (let who = 0; who < 1024; who++) for (let i = 0; i < 5; i++) ask(`user ${who}`);
  await clock.advance(0);
  assert.ok(!pace.isSlow('first'), 'it was met first, and nobody is at rest');
  assert.ok(pace.isSlow('user 1023'));
});

test('a user with thousands of uids guesses ten times a second in all, and delays neither root nor users who know the password', async () => {
  const clock = new FakeClock();
  const pace = new LoginPace(clock, new AbortController().signal, ['user 0']);
  const come: string[] = [];
  const ask = (who: string, name: string): void => {
    void pace.turn(who, new AbortController().signal).then((isTurn) => isTurn && come.push(name));
  };
  ask('friend', 'friend');
  await clock.advance(0);
  pace.recordSuccess('friend');
  for (let i = 0; i < 5000; i++) ask(`user ${200_000 + i}`, 'guess');
  await clock.advance(0);
  const guesses = (): number => come.filter((name) => name === 'guess').length;
  assert.equal(guesses(), 50);
  assert.ok(pace.isKnown('user 0') && pace.isKnown('friend') && !pace.isKnown('user 200000'));
  for (const who of ['user 0', 'friend']) ask(who, 'ours');
  await clock.advance(0);
  assert.equal(come.filter((name) => name === 'ours').length, 2);
  for (let i = 0; i < 100; i++) await clock.advance(100);
  assert.equal(guesses(), 150);
  // Somebody who is new has his turn next.
  ask('user 1000', 'new');
  await clock.advance(100);
  assert.equal(come.at(-1), 'new');
});
