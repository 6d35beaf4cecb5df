import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding, Reading } from '../../../../src/detectors/checks/check.ts';
import { CheckWorld, failing, ok, unknown } from '../../../helpers/check-world.ts';
import { memoryState } from '../../../helpers/memory-state.ts';

// Checks with parts that have a state of their own: measures of a host, certificates.

const MINUTE = 60_000;

function hostOf(parts: Readonly<Record<string, Finding>>): Reading {
  const kinds = Object.values(parts);
  return { ...(kinds.find(({ kind }) => kind === 'failing') ?? ok), parts };
}

/** The names and states that are known of the checks. */
function known({ checks }: CheckWorld): Record<string, string> {
  const states = checks.list().flatMap((check) => check.states);
  return Object.fromEntries(states.map(({ name, standing }) => [name, standing.state]));
}

test('each part has its state, and one does not hide another', async () => {
  const world = new CheckWorld();
  const look = { now: hostOf({ swap: ok, 'disk:/': ok }) };
  world.row(1, 'web');
  world.configure({ host: { hasOnlyParts: true, processName: 'web', reading: () => look.now } });
  assert.deepEqual(known(world), { host: 'unknown' });
  await world.live(MINUTE);
  assert.deepEqual(known(world), { 'host/swap': 'ok', 'host/disk:/': 'ok' });
  look.now = hostOf({ swap: ok, 'disk:/': failing('full') });
  await world.live(2 * MINUTE);
  assert.deepEqual(known(world), { 'host/swap': 'ok', 'host/disk:/': 'failing' });
  look.now = hostOf({ swap: failing('used up'), 'disk:/': failing('full') });
  await world.live(2 * MINUTE);
  assert.deepEqual(known(world), { 'host/swap': 'failing', 'host/disk:/': 'failing' });
  assert.deepEqual(world.states('host/swap'), ['ok', 'failing']);
  assert.deepEqual(world.states('host'), []);
  const raised = world.seen('alarm_raised').map(({ by }) => by);
  assert.equal(raised[0], 'check host/disk:/');
  look.now = { kind: 'unknown', reason: 'no answer' };
  await world.live(MINUTE);
  assert.deepEqual(known(world), { 'host/swap': 'unknown', 'host/disk:/': 'unknown' });
});

test('the alarm is cleared only once the part has passed that has found the process failing', async () => {
  const world = new CheckWorld();
  const look = { now: hostOf({ swap: failing('used up'), disk: ok }) };
  world.row(1, 'web', {
    begins: () => void world.clock.sleep(2500).then(() => Object.assign(look, { now: hostOf({ swap: ok, disk: ok }) })),
  });
  world.configure({ host: { hasOnlyParts: true, processName: 'web', reading: () => look.now } });
  await world.live(3 * MINUTE);
  assert.deepEqual(world.restarts, ['web']);
  const [passed] = world.seen('health_check_passed');
  assert((passed?.durationMs ?? 0) >= 2000, 'the proof waited for it');
});

test('a part that the target does not have any more is forgotten, and its incident ends', async () => {
  const state = memoryState();
  const world = new CheckWorld({}, state);
  const look = { now: hostOf({ swap: ok, 'disk:/mnt': failing('full') }) };
  world.configure({ host: { hasOnlyParts: true, reading: () => look.now } });
  await world.live(2 * MINUTE);
  assert.deepEqual(known(world), { 'host/swap': 'ok', 'host/disk:/mnt': 'failing' });
  look.now = hostOf({ swap: ok });
  await world.live(MINUTE);
  assert.deepEqual(known(world), { 'host/swap': 'ok' });
  assert.deepEqual(world.states('host/disk:/mnt'), ['failing', 'off']);
  assert.equal(world.seen('incident_closed').length, 1);
  assert.deepEqual(
    state.checkStates.list().map(({ name }) => name),
    ['host/swap'],
  );
});

test('what an earlier daemon knew of a part has to end too', async () => {
  const state = memoryState();
  const since = new Date();
  for (const name of ['host/disk:/', 'host/gone', 'other/x'])
    state.checkStates.set({ name, processName: null, verdict: 'failing', since });
  const world = new CheckWorld({}, state);
  world.configure({ host: { hasOnlyParts: true, reading: () => hostOf({ 'disk:/': ok }) } });
  await world.live(2 * MINUTE);
  assert.deepEqual(known(world), { 'host/disk:/': 'ok' });
  assert.deepEqual(world.states('host/gone'), ['off']);
  assert.deepEqual(world.states('other/x'), ['off']);
});

test('a warning of a part raises nothing, leaves the check as it is, and stays while nothing is seen of it', async () => {
  const world = new CheckWorld();
  const certificate: Finding = { kind: 'failing', reason: 'it ends', isWarning: true };
  const look = { now: { ...ok, parts: { certificate } } as Reading };
  world.row(1, 'web');
  world.configure({ page: { processName: 'web', reading: () => look.now } });
  await world.live(2 * MINUTE);
  assert.deepEqual(known(world), { page: 'ok', 'page/certificate': 'failing' });
  look.now = unknown;
  await world.live(MINUTE);
  assert.deepEqual(known(world), { page: 'unknown', 'page/certificate': 'failing' });
  look.now = { ...ok, parts: {} };
  await world.live(MINUTE);
  assert.deepEqual([known(world), world.restarts], [{ page: 'ok' }, []]);
});

test('what has happened counts at once, and is over once nothing more has', async () => {
  const world = new CheckWorld();
  const look = { now: ok as Reading };
  world.row(1, 'web');
  world.configure({ log: { processName: 'web', reading: () => look.now } });
  await world.live(MINUTE);
  look.now = { kind: 'failing', reason: '1 line', isEvent: true };
  await world.clock.until(() => world.states('log').length === 2);
  look.now = ok;
  await world.live(5 * MINUTE);
  assert.deepEqual(world.states('log'), ['ok', 'failing', 'ok']);
  assert.equal(world.seen('alarm_raised').length, 1);
  assert.deepEqual(world.restarts, ['web']);
});

test('what depends on a part waits for that part alone', async () => {
  const world = new CheckWorld();
  const look = { now: hostOf({ swap: failing('used up'), 'disk:/': ok }) };
  world.configure({
    host: { hasOnlyParts: true, reading: () => look.now },
    a: { dependsOn: ['host/swap'], reading: () => failing() },
    b: { dependsOn: ['host/disk:/'], reading: () => failing() },
    c: { dependsOn: ['host'], reading: () => failing() },
  });
  await world.live(3 * MINUTE);
  const { a, b, c } = known(world);
  assert.deepEqual([a, b, c], ['unknown', 'failing', 'unknown']);
});
