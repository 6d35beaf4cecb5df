import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { Pid1Link } from '../../../../src/system/systemd/link.ts';
import { Pid1 } from '../../../../src/system/systemd/pid1.ts';
import { FakePid1 } from '../../../helpers/pid1/fake-pid1.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const LONG = { timeoutMs: 30_000 };
const kindOf = async (link: Pid1Link): Promise<string> => link.kind;
/** Until the link has noticed that it is over. */
const untilLost = (link: Pid1Link): Promise<void> => new Promise((resolve) => void link.onLost(resolve));
const pinged = async (link: Pid1Link): Promise<string> =>
  (await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG)).kind;

test('its own socket is preferred', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  assert.deepEqual(pid1.contact, { way: undefined, problem: undefined });
  assert.deepEqual(await pid1.withLink(LONG, kindOf), { kind: 'reached', value: 'private' });
  assert.deepEqual(pid1.contact, { way: 'private', problem: undefined });
  assert.deepEqual(fake.bus?.calls, []);
  assert.equal(pid1.busAddress, fake.addresses.bus);
});

test('if nobody listens there, or it refuses us, the bus is the way', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  fake.greeting = 'rejected';
  assert.deepEqual(await pid1.withLink(LONG, pinged), { kind: 'reached', value: 'reply' });
  assert.deepEqual(pid1.contact, { way: 'bus', problem: undefined });
  pid1.close();
  fake.stopListening();
  assert.deepEqual(await pid1.withLink(LONG, kindOf), { kind: 'reached', value: 'bus' });
  pid1.close();
  rmSync(fake.addresses.private);
  assert.deepEqual(await pid1.withLink(LONG, kindOf), { kind: 'reached', value: 'bus' });
  pid1.close();
  fake.greeting = 'welcome';
  fake.startListening();
  assert.deepEqual(await pid1.withLink(LONG, kindOf), { kind: 'reached', value: 'private' });
});

test('neither way: one line, within the limit', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  fake.stopListening();
  fake.bus?.stop();
  for (const alive of [false, true]) {
    const beganMs = performance.now();
    const spoken = await pid1.withLink({ timeoutMs: 400, alive }, () => assert.fail('there is nothing to speak on'));
    const reason = `cannot connect to systemd: ${fake.addresses.private}: ECONNREFUSED; ${fake.addresses.bus}: ECONNREFUSED`;
    assert.deepEqual(spoken, { kind: 'unreachable', reason });
    assert.ok(performance.now() - beganMs >= 400);
    assert.deepEqual(pid1.contact, { way: undefined, problem: reason });
  }
});

test('a caller that only asks learns soon that nobody answers', async (t) => {
  const fake = FakePid1.open(t);
  fake.stopListening();
  fake.bus?.stop();
  const beganMs = performance.now();
  const spoken = await fake.pid1().withLink({ timeoutMs: 600_000 }, kindOf);
  assert.equal(spoken.kind, 'unreachable');
  assert.ok(performance.now() - beganMs < 60_000);
});

test('nobody listens for a while: every caller waits for it', async (t) => {
  const fake = FakePid1.open(t, { privateOnly: true });
  const pid1 = fake.pid1();
  for (const alive of [false, true]) {
    const lost = pid1.withLink(LONG, untilLost);
    await waitFor('a link', () => fake.connections.open === 1);
    fake.stopListening();
    await lost;
    const speaking = pid1.withLink({ ...LONG, alive }, pinged);
    setImmediate(() => fake.startListening());
    assert.deepEqual(await speaking, { kind: 'reached', value: 'reply' });
  }
});

test('a silent PID 1 is not a reason to try the bus', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  fake.hush();
  const spoken = await pid1.withLink({ timeoutMs: 100 }, kindOf);
  assert.deepEqual(spoken, { kind: 'unreachable', reason: 'systemd does not answer' });
  assert.deepEqual(pid1.contact, { way: undefined, problem: 'systemd does not answer' });
  assert.deepEqual(fake.bus?.calls, []);
  fake.speak();
  assert.deepEqual(await pid1.withLink(LONG, pinged), { kind: 'reached', value: 'reply' });
  assert.deepEqual(pid1.contact, { way: 'private', problem: undefined });
});

test('a silence that ends within the limit is waited for', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  fake.hush();
  const asked = pid1.withLink({ ...LONG, alive: true }, pinged);
  await waitFor('it to be connected', () => fake.connections.open === 1);
  fake.speak();
  assert.deepEqual(await asked, { kind: 'reached', value: 'reply' });
  // And so is one that begins on a link that is open.
  await fake.fallSilent();
  let spoken = false;
  const again = pid1.withLink({ ...LONG, alive: true }, async (link) => {
    spoken = true;
    return link.kind;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(spoken, false);
  fake.speak();
  assert.deepEqual(await again, { kind: 'reached', value: 'private' });
  assert.equal(fake.connections.ever, 1);
});

test('a link on which nothing is answered any more is replaced, and stays with those who use it', async (t) => {
  const fake = FakePid1.open(t, { privateOnly: true });
  const pid1 = fake.pid1({ silentMs: 100 });
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  let first: Pid1Link | undefined;
  const using = pid1.withLink(LONG, async (link) => {
    first = link;
    await pinged(link);
    await over;
  });
  await waitFor('an answer', () => fake.callsOf('Ping').length === 1);
  const silent = fake.callsOf('Ping')[0]?.caller;
  fake.intercept = ({ caller }) => caller.kind === 'private' && silent?.kind === 'private' && caller.peer === silent.peer;
  await fake.beStale();
  const other = await pid1.withLink({ ...LONG, alive: true }, async (link) => [link === first, await pinged(link)]);
  assert.deepEqual(other, { kind: 'reached', value: [false, 'reply'] });
  assert.deepEqual([fake.connections.open, first?.isOpen], [2, true]);
  end();
  await using;
  await waitFor('only the new link', () => fake.connections.open === 1);
  // Nobody uses the one that falls silent now.
  const last = fake.callsOf('Ping').at(-1)?.caller;
  fake.intercept = ({ caller }) => caller.kind === 'private' && last?.kind === 'private' && caller.peer === last.peer;
  await fake.beStale();
  assert.deepEqual(await pid1.withLink({ ...LONG, alive: true }, pinged), { kind: 'reached', value: 'reply' });
  assert.deepEqual(fake.connections, { open: 1, ever: 3 });
  // Whoever only asks, again and again, is answered too.
  const now = fake.callsOf('Ping').at(-1)?.caller;
  fake.intercept = ({ caller }) => caller.kind === 'private' && now?.kind === 'private' && caller.peer === now.peer;
  const ask = () => pid1.withLink(LONG, async (link) => (await link.call({ member: 'Whatever' }, { timeoutMs: 60 })).kind);
  const answers = [await ask(), await ask(), await ask()].map((answer) => answer.kind === 'reached' && answer.value);
  // The second comes after 60 ms, on a busy machine after more than 100.
  assert.deepEqual([answers[0], answers[2]], ['no_answer', 'error']);
});

test('alive: not before it has shown that it accepts what it receives', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  await pid1.withLink(LONG, pinged);
  await fake.fallSilent();
  const spoken = await pid1.withLink({ timeoutMs: 100, alive: true }, () => assert.fail('it has not answered'));
  assert.deepEqual(spoken, { kind: 'unreachable', reason: 'systemd does not answer' });
  // Who does not mind is given the link.
  const asked = await pid1.withLink(LONG, (link) => link.call({ member: 'Whatever' }, { timeoutMs: 30 }));
  assert.deepEqual(asked, { kind: 'reached', value: { kind: 'no_answer' } });
});

test('all who speak at once share one link', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  const spoken = await Promise.all(
    Array.from({ length: 50 }, (_, index) => pid1.withLink({ ...LONG, alive: index % 2 === 0 }, pinged)),
  );
  assert.ok(spoken.every(({ kind }) => kind === 'reached'));
  assert.equal(fake.connections.ever, 1);
});

test('it is closed some time after the last use, and opened again for the next', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1({ idleMs: 30 });
  const release = Promise.withResolvers<void>();
  const long = pid1.withLink(LONG, () => release.promise);
  for (let round = 0; round < 3; round++) assert.equal((await pid1.withLink(LONG, pinged)).kind, 'reached');
  await new Promise((resolve) => setTimeout(resolve, 100));
  // Somebody uses it still.
  assert.deepEqual(fake.connections, { open: 1, ever: 1 });
  release.resolve();
  await long;
  await waitFor('it to be closed', () => fake.connections.open === 0);
  assert.equal((await pid1.withLink(LONG, pinged)).kind, 'reached');
  assert.equal(fake.connections.ever, 2);
  await waitFor('it to be closed again', () => fake.connections.open === 0);
});

test('a link that has ended is opened again, also for a caller that wants one that is alive', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  await pid1.withLink(LONG, pinged);
  const lost = pid1.withLink(LONG, untilLost);
  fake.cut();
  await lost;
  assert.deepEqual(await pid1.withLink({ ...LONG, alive: true }, pinged), { kind: 'reached', value: 'reply' });
  const lostAgain = pid1.withLink(LONG, untilLost);
  fake.goAway();
  await lostAgain;
  const again = pid1.withLink({ ...LONG, alive: true }, pinged);
  setImmediate(() => fake.comeBack());
  assert.deepEqual(await again, { kind: 'reached', value: 'reply' });
});

test('by the bus, too, a re-exec is got over', async (t) => {
  const fake = FakePid1.open(t, { busOnly: true });
  const pid1 = fake.pid1();
  assert.equal((await pid1.withLink(LONG, kindOf)).kind, 'reached');
  const lost = pid1.withLink(LONG, untilLost);
  fake.goAway();
  await lost;
  const again = pid1.withLink({ ...LONG, alive: true }, pinged);
  setImmediate(() => fake.bus?.ownerBack());
  setImmediate(() => fake.speak());
  assert.deepEqual(await again, { kind: 'reached', value: 'reply' });
});

test('it is given up when it is aborted, and nothing stays at the signal', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1();
  fake.hush();
  const abort = new AbortController();
  const asked = pid1.withLink({ ...LONG, signal: abort.signal, alive: true }, kindOf);
  await waitFor('it to be connected', () => fake.connections.open === 1);
  abort.abort();
  assert.deepEqual(await asked, { kind: 'unreachable', reason: 'aborted' });
  fake.stopListening();
  fake.bus?.stop();
  const other = new AbortController();
  const unheard = pid1.withLink({ ...LONG, signal: other.signal, alive: true }, kindOf);
  setTimeout(() => other.abort(), 50);
  assert.deepEqual(await unheard, { kind: 'unreachable', reason: 'aborted' });
  assert.equal(getEventListeners(other.signal, 'abort').length, 0);
});

test('an action that fails releases the link all the same', async (t) => {
  const fake = FakePid1.open(t);
  const pid1 = fake.pid1({ idleMs: 20 });
  await assert.rejects(
    pid1.withLink(LONG, () => Promise.reject(new Error('mine'))),
    /mine/,
  );
  await waitFor('it to be closed', () => fake.connections.open === 0 && fake.connections.ever === 1);
});

test('the addresses are those of systemd unless said', () => {
  assert.equal(new Pid1().busAddress, '/run/dbus/system_bus_socket');
});
