import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptKey, storedKey } from '../../../../src/core/alarm.ts';
import type { StoreError } from '../../../../src/core/errors.ts';
import { memoryState } from '../../../helpers/memory-state.ts';
import { type FakeProcess, MonitorWorld, storeError } from '../../../helpers/monitor-world.ts';

/** Raises an alarm, and lets everything run that follows from it. */
async function raise(world: MonitorWorld, name: string, notes = 'exit code 1'): Promise<void> {
  let done = false;
  void world.alarms.raise(name, notes, 'exit').then(() => {
    done = true;
  });
  await world.clock.until(() => done);
  await idle(world);
}

async function idle(world: MonitorWorld): Promise<void> {
  let done = false;
  void world.queue.idle().then(() => {
    done = true;
  });
  await world.clock.until(() => done);
}

/** A row that is well. */
function well(world: MonitorWorld, id: number, name: string): void {
  world.alarm(id, name);
  Object.assign(world.rows.get(String(id)) ?? {}, { alarma: false });
}

/** The store is known to be away. */
async function away(world: MonitorWorld, fault: StoreError['fault'] = 'unreachable'): Promise<void> {
  const error = storeError(fault);
  world.storeFault = {
    readAlarms: error,
    findProcesses: error,
    raiseAlarm: error,
    clearAlarm: error,
    readProcess: error,
  };
  await world.poll();
}

test('the key of a kept alarm is its name’s own, and that of no row', () => {
  const names = ['a', 'b', '', 'ü', 'a ', 'row 7', '7'];
  const keys = [...names.map(keptKey), ...names.map(storedKey)];
  assert.equal(new Set(keys).size, keys.length);
});

test('an alarm goes into the store and wakes the loop, and nothing is kept', async () => {
  const world = new MonitorWorld();
  well(world, 7, 'web');
  const loop = world.monitor.run(world.stopping.signal);
  await world.clock.advance(10);
  await raise(world, 'web', 'signal SIGSEGV');
  await world.clock.until(() => world.seen('alarm_cleared').length === 1, 5000);
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.seen('alarm_found')[0]?.notes, 'signal SIGSEGV');
  assert.deepEqual([world.rows.get('7')?.alarma, world.rows.get('7')?.notes], [false, 'signal SIGSEGV - Restarted at']);
  assert.deepEqual(world.state.kept.list(), []);
  world.stopping.abort();
  await world.clock.until(() => true);
  await loop;
});

for (const [why, prepare] of Object.entries({
  'no row of that name': async () => {},
  'UPDATE is denied': async (world: MonitorWorld) => {
    well(world, 7, 'web');
    world.storeFault = { raiseAlarm: storeError('denied'), clearAlarm: storeError('denied') };
  },
  'clear_alarm = false': async (world: MonitorWorld) => {
    well(world, 7, 'web');
    world.settings = { ...world.settings, clearAlarm: false };
  },
  'the store is away': (world: MonitorWorld) => away(world),
  'the store has gone since the last poll': async (world: MonitorWorld) => {
    world.storeFault = { findProcesses: storeError('unreachable'), readAlarms: storeError('unreachable') };
  },
  'the store hangs': async (world: MonitorWorld) => {
    world.store.findProcesses = () => new Promise(() => {});
  },
})) {
  test(`${why}: the alarm is kept, healed once without a poll, and ended`, async () => {
    const world = new MonitorWorld();
    await prepare(world);
    await raise(world, 'web');
    assert.deepEqual(world.restarts, ['web']);
    assert.deepEqual(world.state.kept.list(), []);
    assert.equal(world.seen('alarm_found').length, 1);
    assert.equal(world.seen('alarm_cleared').length, 1);
    assert.match(world.log('warning'), /Alarm of web is stored locally: /);
    assert.match(world.log('info'), /Found process in alarm: web \(stored locally\) - exit code 1/);
    world.storeFault = {};
    for (let i = 0; i < 3; i++) await world.poll();
    assert.deepEqual(world.restarts, ['web']);
    // The next death is another alarm, and is told again.
    await raise(world, 'web', 'exit code 2');
    for (let i = 0; i < 2; i++) await world.poll();
    assert.deepEqual(world.restarts, ['web', 'web']);
    assert.equal(world.seen('alarm_found').length, 2);
  });
}

test('an acknowledged row is left alone, and nothing is kept', async () => {
  const world = new MonitorWorld();
  well(world, 7, 'web');
  Object.assign(world.rows.get('7') ?? {}, { sound: true });
  await raise(world, 'web');
  await world.poll();
  assert.deepEqual(world.restarts, []);
  assert.deepEqual(world.state.kept.list(), []);
  assert.equal(world.rows.get('7')?.alarma, false);
  assert.match(world.log('info'), /not raised: it is acknowledged/);
});

test('what is not healed while the store is away moves there when it is back, and is handled as a row once', async () => {
  const world = new MonitorWorld();
  well(world, 7, 'web');
  await away(world);
  world.holds.set('web', undefined, 'upgrade');
  await raise(world, 'web');
  assert.deepEqual(world.restarts, []);
  assert.equal(world.state.kept.list().length, 1);
  world.storeFault = {};
  await world.poll();
  assert.deepEqual(world.state.kept.list(), []);
  const row = world.rows.get('7');
  assert.deepEqual([row?.alarma, row?.notes], [true, 'exit code 1']);
  world.holds.release('web');
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('7')?.alarma, false);
});

test('a row acknowledged while the store was away ends the kept alarm', async () => {
  const world = new MonitorWorld();
  well(world, 7, 'web');
  await away(world);
  world.holds.set('web', undefined, '');
  await raise(world, 'web');
  Object.assign(world.rows.get('7') ?? {}, { sound: true });
  world.storeFault = {};
  world.holds.release('web');
  await world.poll();
  assert.deepEqual(world.state.kept.list(), []);
  assert.deepEqual(world.restarts, []);
});

test('a recovery that is under way when the store is back ends the alarm; it is not raised there', async () => {
  const world = new MonitorWorld();
  well(world, 7, 'web');
  world.processes.set('web', { restartMs: 5000 });
  await away(world);
  void world.alarms.raise('web', 'exit code 1', 'exit');
  await world.clock.advance(100);
  world.storeFault = {};
  let raised = 0;
  world.store.raiseAlarm = async () => {
    raised++;
    return 'missing';
  };
  await world.poll();
  await world.poll();
  assert.equal(raised, 0);
  assert.deepEqual(world.restarts, ['web']);
  assert.deepEqual(world.state.kept.list(), []);
  assert.equal(world.rows.get('7')?.alarma, false);
});

test('an UPDATE that failed but was carried out makes no second recovery', async () => {
  const world = new MonitorWorld();
  well(world, 7, 'web');
  world.store.raiseAlarm = async (processId, notes) => {
    Object.assign(world.rows.get(processId) ?? {}, { alarma: true, notes });
    throw storeError('timeout');
  };
  await raise(world, 'web');
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('7')?.alarma, true);
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('7')?.alarma, false);
});

test('a kept alarm that had arrived in its row ends with the row, though its own handling had ended before', async () => {
  const world = new MonitorWorld();
  well(world, 7, 'web');
  world.store.raiseAlarm = async (processId, notes) => {
    Object.assign(world.rows.get(processId) ?? {}, { alarma: true, notes });
    throw storeError('timeout');
  };
  let asked = 0;
  const how: FakeProcess = {
    resolving: async () => {
      const isKept = asked++ === 0;
      await world.clock.sleep(isKept ? 1000 : 2000);
      if (isKept) how.refused = 'systemd does not answer';
      else delete how.refused;
    },
  };
  world.processes.set('web', how);
  void world.alarms.raise('web', 'exit code 1', 'exit');
  await world.clock.advance(10);
  await world.poll();
  await idle(world);
  assert.equal(asked, 2);
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('7')?.alarma, false);
  assert.deepEqual(world.state.kept.list(), []);
  for (let i = 0; i < 3; i++) await world.poll();
  assert.deepEqual(world.restarts, ['web']);
});

test('a second death during the recovery is not lost: it is healed when that has ended, without a poll', async () => {
  for (const kept of [true, false]) {
    const world = new MonitorWorld();
    world.processes.set('web', { restartMs: 5000 });
    if (!kept) well(world, 7, 'web');
    const loop = world.monitor.run(world.stopping.signal);
    await world.clock.advance(10);
    void world.alarms.raise('web', 'first', 'exit');
    await world.clock.advance(1000);
    void world.alarms.raise('web', 'second', 'exit');
    await world.clock.until(() => world.restarts.length === 2, 60_000);
    await idle(world);
    assert.equal(world.seen('alarm_cleared').length, 1, 'the first alarm has been replaced by the second');
    assert.deepEqual(world.state.kept.list(), []);
    world.stopping.abort();
    await world.clock.until(() => true);
    await loop;
  }
});

test('a failing recovery is tried at each interval while the store is away, and its breaker opens', async () => {
  const world = new MonitorWorld({ checkIntervalMs: 300_000 });
  world.processes.set('web', { restart: () => ({ kind: 'failed', reason: 'no', final: true }) });
  await away(world);
  await raise(world, 'web');
  assert.equal(world.restarts.length, 1);
  for (let i = 0; i < 5; i++) await world.poll();
  assert.equal(world.restarts.length, 1, 'failing polls come often, recoveries do not');
  for (let i = 0; i < 5; i++) {
    await world.clock.advance(300_000);
    await world.poll();
  }
  assert.equal(world.restarts.length, 3);
  assert.equal(world.breakers.snapshot('web').state, 'open');
  assert.equal(world.state.kept.list().length, 1);
});

test('mode = observe and only_configured restart nothing and keep the alarm', async () => {
  for (const settings of [{ mode: 'observe' }, { onlyConfigured: true }] as const) {
    const world = new MonitorWorld(settings);
    await raise(world, 'web');
    await world.poll();
    assert.deepEqual(world.restarts, []);
    assert.equal(world.state.kept.list().length, 1);
    assert.match(world.log('info'), /would have restarted it|it has no section of its own/);
  }
});

test('a kept alarm of a name that a reload no longer configures ends, and says so', async () => {
  const world = new MonitorWorld({ mode: 'observe' });
  for (const name of ['web', 'old']) await raise(world, name);
  world.kept.keepOnly(['web']);
  assert.deepEqual(
    world.state.kept.list().map(({ processName }) => processName),
    ['web'],
  );
  assert.match(world.log('info'), /Alarm of old is dropped: the process is no longer configured(?:\n|$)/);
});

test('a kept alarm survives the daemon; an attempt that healed it before the end is not repeated, though it has a row by now', async () => {
  const state = memoryState();
  const notes = 'exit code 1';
  const alarm = { processName: 'web', notes, raisedAt: new Date(), doubtfulRows: [] };
  state.kept.set(alarm);
  const first = new MonitorWorld({}, state);
  await first.poll();
  assert.deepEqual(first.restarts, ['web']);
  for (const hasRow of [false, true]) {
    state.kept.set(alarm);
    state.journal.begin({
      target: 'web',
      runId: 'r',
      attempt: 1,
      alarms: [{ source: 'kept', key: keptKey('web'), processName: 'web', notes, notesDigest: null }],
      startedAt: new Date(),
    });
    const later = new MonitorWorld({}, state);
    if (hasRow) well(later, 7, 'web');
    await later.poll();
    await later.poll();
    assert.deepEqual(later.restarts, []);
    assert.deepEqual(state.kept.list(), []);
    assert.notEqual(later.rows.get('7')?.alarma, true);
  }
});

test('a row that somebody else raised shares the recovery of a kept alarm', async () => {
  const world = new MonitorWorld();
  world.alarm(7, 'web', {}, 'url does not answer');
  world.storeFault = { raiseAlarm: storeError('denied') };
  void world.monitor.tick();
  void world.alarms.raise('web', 'exit code 1', 'exit');
  await idle(world);
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('7')?.alarma, false);
  assert.deepEqual(world.state.kept.list(), []);
});

test('commands learn that a kept alarm has no row', async () => {
  const world = new MonitorWorld();
  world.processes.set('web', { settings: { preRestartCommand: 'true' } });
  await raise(world, 'web');
  assert.equal(world.commandsRun[0]?.environment?.MONITOR_PROCESS_ID, '0');
});

test('exits within the window open the breaker before the alarm of the last one is handled', async () => {
  const world = new MonitorWorld({ maxExits: 3, exitWindowMs: 60_000 });
  const die = async (expected = false): Promise<void> => {
    // As the detector does: the alarm is written down before its exit is told of.
    const raised = expected ? undefined : raise(world, 'web', `exit at ${world.clock.monotonicMs()}`);
    if (!expected) world.exits.count('web');
    await raised;
    await world.clock.advance(1000);
  };
  for (let i = 0; i < 4; i++) await die(true);
  await die();
  await die();
  assert.equal(world.restarts.length, 2);
  await die();
  assert.equal(world.restarts.length, 2);
  assert.equal(world.seen('breaker_opened')[0]?.reason, 'exited 3 times within 60 s: it keeps dying');
  assert.equal(world.state.breakers.load().get('web')?.snapshot.state, 'open');
  await world.clock.advance(world.settings.circuitResetTimeMs);
  await world.poll();
  assert.equal(world.restarts.length, 3);
  assert.equal(world.breakers.snapshot('web').state, 'closed');
  const slow = new MonitorWorld({ maxExits: 0 });
  for (let i = 0; i < 20; i++) slow.breakers.exited('web', 'web');
  assert.equal(slow.breakers.snapshot('web').state, 'closed');
});

test('an exit counts before its alarm is handled, however long it takes to know what the name means', async () => {
  const world = new MonitorWorld({ maxExits: 1 });
  let asked = 0;
  world.processes.set('web', {
    resolving: async () => {
      if (asked++ === 0) await world.clock.sleep(5000);
    },
  });
  world.exits.count('web');
  await raise(world, 'web');
  assert.equal(world.breakers.snapshot('web').state, 'open');
  assert.deepEqual(world.restarts, []);
});

/** Raises an alarm only if there is none; what became of it. */
async function raiseNew(world: MonitorWorld, name: string, notes: string): Promise<string> {
  let became = '';
  void world.alarms.raiseNew(name, notes, 'check page').then((raised) => {
    became = raised;
  });
  await world.clock.until(() => became !== '');
  return became;
}

test('a new alarm is kept while the store is away, and does not replace the notes that it finds there later', async () => {
  const world = new MonitorWorld();
  well(world, 7, 'web');
  await away(world);
  world.processes.set('web', { health: () => ({ kind: 'unhealthy', reason: 'no' }) });
  assert.equal(await raiseNew(world, 'web', 'check page: status 503'), 'kept');
  assert.equal(await raiseNew(world, 'web', 'check page: reset'), 'standing');
  await idle(world);
  assert.equal(world.kept.alarm('web')?.notes, 'check page: status 503');
  // Somebody else has raised it meanwhile.
  Object.assign(world.rows.get('7') ?? {}, { alarma: true, notes: 'by the bank' });
  world.storeFault = {};
  await world.poll();
  assert.equal(world.kept.alarm('web'), undefined);
  assert.equal(world.rows.get('7')?.notes, 'by the bank');
  assert.equal(await raiseNew(world, 'web', 'check page: status 503'), 'standing');
});

test('a process that was healed, and whose alarm nobody may clear, is healed again when a check raises it', async () => {
  const world = new MonitorWorld();
  world.alarm(7, 'web');
  world.storeFault.clearAlarm = storeError('denied');
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  let isWell = false;
  world.processes.set('web', {
    begins: () => {
      isWell = true;
    },
  });
  world.furtherChecks = () => [
    {
      description: 'check page',
      check: async () => (isWell ? { kind: 'healthy' } : { kind: 'unhealthy', reason: 'status 503' }),
    },
  ];
  assert.equal(await raiseNew(world, 'web', 'check page: status 503'), 'standing');
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
});
