import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reading } from '../../../../src/detectors/checks/check.ts';
import { CheckWorld, failing, ok, unknown } from '../../../helpers/check-world.ts';

// What checks do to the alarms of processes: the whole way, with a fake clock, store and restarts.

const MINUTE = 60_000;

/** A world with a process that is not in alarm, and a check of it that finds what `now` says. */
function webWorld(settings: Parameters<CheckWorld['configure']>[0][string] extends infer C ? Partial<C> : never = {}) {
  const world = new CheckWorld();
  const look = { now: ok as Reading };
  world.row(1, 'web');
  world.configure({ page: { processName: 'web', reading: () => look.now, ...settings } });
  return { world, look };
}

test('a failing check raises the alarm of its process, which is cleared once the check passes too', async () => {
  const { world, look } = webWorld();
  await world.live(MINUTE);
  assert.deepEqual([world.states('page'), world.restarts], [['ok'], []]);
  look.now = failing();
  // The restart heals it only after a while.
  world.processes.set('web', {
    begins: () => void world.clock.sleep(2500).then(() => Object.assign(look, { now: ok })),
  });
  await world.live(3 * MINUTE);
  assert.deepEqual(world.restarts, ['web']);
  const row = world.rows.get('1');
  assert.deepEqual([row?.alarma, row?.sound], [false, false]);
  assert.match(row?.notes ?? '', /^check page: status 503 - Restarted at/);
  const [raised] = world.seen('alarm_raised');
  assert.deepEqual([raised?.by, raised?.where, raised?.notes], ['check page', 'stored', 'check page: status 503']);
  const [passed] = world.seen('health_check_passed');
  assert((passed?.durationMs ?? 0) >= 2000, 'the proof waited for the check');
  await world.live(3 * MINUTE);
  assert.deepEqual(world.states('page'), ['ok', 'failing', 'ok']);
  const [opened] = world.seen('incident_opened');
  const [closed] = world.seen('incident_closed');
  assert.deepEqual([opened?.name, opened?.by, closed?.name, closed?.how], ['web', 'check page', 'web', 'ok']);
  assert.equal(world.restarts.length, 1);
});

test('a failure counts only after failure_threshold results in a row, looked for at retry_interval', async () => {
  const { world, look } = webWorld();
  await world.live(MINUTE + 1000);
  const before = world.looks.get('page') ?? 0;
  const since = world.clock.monotonicMs();
  look.now = failing();
  await world.clock.until(() => world.looks.get('page') === before + 2);
  look.now = ok;
  await world.live(5 * MINUTE);
  assert.deepEqual([world.states('page'), world.restarts], [['ok'], []], 'two failures are not enough');
  look.now = failing();
  await world.clock.until(() => world.restarts.length > 0);
  const [raised] = world.seen('alarm_raised');
  const took = (raised?.at.getTime() ?? 0) - world.clock.date().getTime() + (world.clock.monotonicMs() - since);
  assert(took > 0);
  const looks = (world.looks.get('page') ?? 0) - before;
  assert(looks < 15, `${looks} looks`);
});

test('if the check goes on failing, the alarm is not cleared, and the breaker stops the restarts', async () => {
  const { world, look } = webWorld();
  await world.live(MINUTE);
  look.now = failing();
  await world.live(25 * MINUTE);
  assert.equal(world.rows.get('1')?.alarma, true);
  assert.deepEqual(world.seen('alarm_cleared'), []);
  assert.equal(world.seen('breaker_opened').length, 1);
  assert.equal(world.restarts.length, 6, 'three recoveries of two attempts');
  assert.match(world.log('warning'), /Health check failed for web: check page: status 503 \(for 5 s\)/);
  const told = world.seen('alarm_raised').map(({ where }) => where);
  assert.deepEqual(told, ['stored', 'standing'], 'that it joins its own alarm is told once');
});

test('a process that was healed and fails again is in alarm again after failure_threshold further results', async () => {
  const { world, look } = webWorld();
  await world.live(MINUTE);
  look.now = failing();
  let healed = 0;
  world.processes.set('web', { begins: () => Object.assign(look, { now: ok }) });
  world.bus.subscribe(({ type }) => {
    if (type !== 'alarm_cleared') return;
    healed++;
    Object.assign(look, { now: failing('again') });
  });
  await world.clock.until(() => healed === 2);
  const [first, second] = world.seen('alarm_raised');
  assert.equal(second?.notes, 'check page: again');
  const [cleared] = world.seen('alarm_cleared');
  const laterMs = (second?.at.getTime() ?? 0) - (cleared?.at.getTime() ?? 0);
  // start_grace, and then three looks, the state being failing all the while.
  assert(laterMs >= 30_000 + 2 * MINUTE - 1000, `${laterMs} ms`);
  assert(first !== undefined);
});

test('a check that could not look raises nothing, ends a row of failures, and keeps the alarm', async () => {
  const { world, look } = webWorld();
  await world.live(MINUTE);
  look.now = unknown;
  await world.live(10 * MINUTE);
  assert.deepEqual([world.states('page'), world.restarts], [['ok', 'unknown'], []]);
  let i = 0;
  world.configure({ page: { processName: 'web', reading: () => (++i % 3 === 0 ? unknown : failing()) } });
  await world.live(10 * MINUTE);
  assert.deepEqual([world.states('page'), world.restarts], [['ok', 'unknown'], []]);
});

test('what cannot be proved by the check leaves the process in alarm, and does not restart it again', async () => {
  const { world, look } = webWorld();
  await world.live(MINUTE);
  look.now = failing();
  world.processes.set('web', { begins: () => Object.assign(look, { now: unknown }) });
  await world.live(20 * MINUTE);
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('1')?.alarma, true);
  assert.equal(world.skipReason('row 1'), 'not proved: check page could not look');
  look.now = ok;
  await world.live(10 * MINUTE);
  assert.deepEqual([world.restarts, world.rows.get('1')?.alarma], [['web'], false]);
});

test('nobody else’s alarm is overwritten: the check joins it, and belongs to its proof', async () => {
  const { world, look } = webWorld();
  await world.live(MINUTE);
  look.now = failing();
  world.processes.set('web', { refused: 'not now' });
  world.alarm(1, 'web', undefined, 'by the bank');
  await world.live(10 * MINUTE);
  assert.equal(world.rows.get('1')?.notes, 'by the bank');
  assert.deepEqual(
    world.seen('alarm_raised').map(({ where }) => where),
    ['standing'],
  );
  world.processes.set('web', {});
  await world.live(10 * MINUTE);
  assert.equal(world.rows.get('1')?.alarma, true, 'the check still fails');
  look.now = ok;
  await world.live(60 * MINUTE);
  assert.deepEqual([world.rows.get('1')?.alarma, world.rows.get('1')?.notes], [false, 'by the bank - Restarted at']);
});

test('an acknowledged row is left alone', async () => {
  const { world, look } = webWorld();
  Object.assign(world.rows.get('1') ?? {}, { sound: true, notes: 'known' });
  await world.live(MINUTE);
  look.now = failing();
  await world.live(20 * MINUTE);
  assert.deepEqual([world.restarts, world.rows.get('1')?.notes], [[], 'known']);
  assert.deepEqual(
    world.seen('alarm_raised').map(({ where }) => where),
    ['acknowledged'],
  );
});

test('in mode = observe nothing is raised', async () => {
  const { world, look } = webWorld();
  world.settings = { ...world.settings, mode: 'observe' };
  await world.live(MINUTE);
  look.now = failing();
  await world.live(10 * MINUTE);
  assert.deepEqual([world.restarts, world.rows.get('1')?.alarma], [[], false]);
  assert.match(world.log('info'), /Check page would have raised the alarm of web \(mode = observe\)/);
});

test('a warning raises nothing, and does not keep an alarm', async () => {
  const { world } = webWorld({ reading: () => ({ kind: 'failing', reason: 'slow', isWarning: true }) });
  await world.live(10 * MINUTE);
  assert.deepEqual([world.states('page'), world.restarts], [['failing'], []]);
  world.alarm(1, 'web');
  await world.live(10 * MINUTE);
  assert.deepEqual([world.restarts, world.rows.get('1')?.alarma], [['web'], false]);
  const quiet = webWorld({ severity: 'warning', reading: () => failing() });
  await quiet.world.live(10 * MINUTE);
  assert.deepEqual([quiet.world.states('page'), quiet.world.restarts], [['failing'], []]);
});

test('what fails behind a failing check is unknown, even if it is looked at first', async () => {
  const world = new CheckWorld();
  world.row(1, 'web');
  let up = true;
  world.configure({
    page: {
      processName: 'web',
      dependsOn: ['uplink'],
      failureThreshold: 1,
      reading: () => (up ? ok : failing('ETIMEDOUT')),
    },
    uplink: { reading: () => (up ? ok : failing('no link')) },
  });
  await world.live(5 * MINUTE);
  up = false;
  await world.live(10 * MINUTE);
  assert.deepEqual(world.states('page'), ['ok', 'unknown']);
  assert.deepEqual(world.states('uplink'), ['ok', 'failing']);
  assert.deepEqual(world.restarts, []);
  assert.equal(world.seen('check_changed').find(({ to }) => to === 'unknown')?.reason, 'behind uplink');
  up = true;
  await world.live(10 * MINUTE);
  assert.deepEqual([world.states('page').at(-1), world.states('uplink').at(-1), world.restarts], ['ok', 'ok', []]);
});

test('failures during a recovery and in the grace after a start do not count', async () => {
  const { world, look } = webWorld({ startGraceMs: 300_000, failureThreshold: 1 });
  await world.live(MINUTE);
  world.checks.started('web', 0);
  look.now = failing();
  await world.live(4 * MINUTE);
  assert.deepEqual([world.states('page'), world.restarts], [['ok'], []]);
  await world.live(2 * MINUTE);
  assert.deepEqual(world.states('page'), ['ok', 'failing']);
});

test('at most `concurrency` look at once, never two looks of one check, and a late one is made once', async () => {
  const world = new CheckWorld();
  let now = 0;
  let most = 0;
  world.concurrency = 3;
  const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
  const check = { intervalMs: 10_000, timeoutMs: 60_000, takesMs: 4000 };
  world.configure(
    Object.fromEntries(
      names.map((name) => {
        let own = 0;
        const reading = async (): Promise<Reading> => {
          most = Math.max(most, ++now);
          assert.equal(++own, 1, `${name} twice at once`);
          await world.clock.sleep(4000);
          own--;
          now--;
          return ok;
        };
        return [name, { ...check, takesMs: 0, reading }];
      }),
    ),
  );
  await world.live(2 * MINUTE);
  assert.equal(most, 3);
  // 3 at once, 4 s each: 90 looks in two minutes, shared fairly.
  const counts = names.map((name) => world.looks.get(name) ?? 0);
  assert(Math.min(...counts) >= 3 && Math.max(...counts) <= 6, counts.join(' '));
});

test('a reload keeps what did not change, begins the others again, and ends what was removed', async () => {
  const world = new CheckWorld();
  world.row(1, 'web');
  const failingCheck = { reading: () => failing(), intervalMs: 10_000 };
  world.configure({ same: failingCheck, slower: failingCheck, moved: failingCheck, gone: failingCheck });
  await world.live(5 * MINUTE);
  for (const name of ['same', 'slower', 'moved', 'gone']) assert.deepEqual(world.states(name), ['failing'], name);
  const looks = world.looks.get('same') ?? 0;
  world.configure({
    same: failingCheck,
    slower: { ...failingCheck, intervalMs: 20_000 },
    moved: { ...failingCheck, target: 'elsewhere' },
  });
  await world.live(1000);
  assert.deepEqual(world.states('same'), ['failing']);
  assert.deepEqual(world.states('slower'), ['failing'], 'not looked at yet; what is known of its target stays');
  assert.deepEqual(world.states('moved'), ['failing', 'off']);
  assert.deepEqual(world.states('gone'), ['failing', 'off']);
  await world.live(5 * MINUTE);
  assert((world.looks.get('same') ?? 0) > looks);
  assert.equal(world.state.checkStates.get('gone'), undefined);
  assert.deepEqual(
    world.seen('incident_closed').map(({ name, how }) => [name, how]),
    [
      ['moved', 'unwatched'],
      ['gone', 'unwatched'],
    ],
  );
});

test('what an earlier run of the daemon knew counts: a check that was failing has to pass', async () => {
  const { world, look } = webWorld();
  look.now = failing();
  await world.live(2 * MINUTE);
  await world.checks.stop();
  const next = new CheckWorld({}, world.state);
  next.row(1, 'web');
  const now = { reading: failing() as Reading };
  next.alarm(1, 'web');
  next.configure({ page: { processName: 'web', reading: () => now.reading, intervalMs: 3_600_000 } });
  await next.live(1000);
  assert.equal(next.rows.get('1')?.alarma, true, 'not before the check has passed');
  now.reading = ok;
  await next.live(20 * MINUTE);
  assert.equal(next.rows.get('1')?.alarma, false);
});

test('a check that was removed while the daemon did not run ends its incident, though that is its process’s', async () => {
  const { world, look } = webWorld();
  world.processes.set('web', { refused: 'not now' });
  look.now = failing();
  await world.live(2 * MINUTE);
  await world.checks.stop();
  const next = new CheckWorld({}, world.state);
  next.configure({});
  next.checks.start();
  await next.live(1000);
  assert.deepEqual(next.states('page'), ['off']);
  assert.deepEqual(next.state.checkStates.list(), []);
  await next.live(20 * MINUTE);
  assert.deepEqual(
    next.seen('incident_closed').map(({ name }) => name),
    ['web'],
  );
});

test('a look that is under way when the daemon stops is waited for', async () => {
  const { world } = webWorld({ takesMs: 3000 });
  await world.clock.until(() => world.looks.get('page') === 1);
  let hasEnded = false;
  void world.checks.stop().then(() => {
    hasEnded = true;
  });
  await world.clock.until(() => hasEnded, 1000);
  assert.deepEqual(world.states('page'), []);
});

test('a check that cannot look from the start on says so, once', async () => {
  const { world } = webWorld({ reading: () => unknown });
  await world.live(10 * MINUTE);
  assert.equal(world.log('warning').match(/Check page is unknown: no answer/g)?.length, 1);
  assert.deepEqual(world.states('page'), ['unknown']);
});

test('a proof does not wait for a look that began before it', async () => {
  let takesMs = 10;
  const { world, look } = webWorld({ timeoutMs: 60_000, takesMs: () => takesMs });
  world.processes.set('web', { refused: 'not now' });
  look.now = failing();
  await world.clock.until(() => world.states('page').includes('failing'));
  // The next look that counts hangs; the proof is made meanwhile.
  takesMs = 50_000;
  const before = world.looks.get('page') ?? 0;
  await world.clock.until(() => (world.looks.get('page') ?? 0) > before);
  await world.clock.advance(100);
  takesMs = 10;
  look.now = ok;
  const startedMs = world.clock.monotonicMs();
  const [check] = world.checks.ofFailing('web');
  let proof: unknown;
  void check?.check({} as never, 1, 5000, new AbortController().signal).then((result) => {
    proof = result;
  });
  await world.clock.until(() => proof !== undefined, 60_000);
  assert.deepEqual(proof, { kind: 'healthy' });
  assert(world.clock.monotonicMs() - startedMs < 1000);
});

test('a check with a schedule looks when that is due, sooner while it is in doubt, and is unknown if that cannot be computed', async () => {
  const { world, look } = webWorld({ schedule: { text: '0 * * * *', timezone: undefined }, failureThreshold: 2 });
  const hour = 60 * MINUTE;
  const begin = world.clock.date().getTime();
  const due = (afterMs: number): number => begin + (Math.floor((afterMs - begin) / hour) + 1) * hour;
  world.worker = (work) => (work.type === 'cron' ? { kind: 'ok', dueMs: due(work.afterMs) } : assert.fail());
  await world.live(2 * MINUTE);
  assert.equal(world.looks.get('page'), undefined, 'it could not be computed at first');
  assert.deepEqual(world.states('page'), ['unknown']);
  await world.live(3 * hour);
  assert.deepEqual([world.looks.get('page'), world.states('page')], [3, ['unknown', 'ok']]);
  look.now = failing();
  await world.clock.until(() => world.restarts.length > 0);
  const found = world.seen('check_changed').at(-1);
  assert.equal(found?.to, 'failing');
  const sinceDueMs = (found.at.getTime() - begin) % hour;
  assert(sinceDueMs >= 15_000 && sinceDueMs < MINUTE, `${sinceDueMs}`);
});
