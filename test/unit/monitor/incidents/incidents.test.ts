import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EmittedEvent, EventBus, type MonitorEvent } from '../../../../src/core/events.ts';
import { Incidents } from '../../../../src/monitor/incidents/incidents.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { memoryState } from '../../../helpers/memory-state.ts';
import { MonitorWorld, storeError } from '../../../helpers/monitor-world.ts';

/** The incidents of a world, in the order in which they begin and end: `1 web opened by outside`, `1 web cleared`. */
function told(world: Pick<MonitorWorld, 'events'>): string[] {
  return world.events.flatMap((event) => {
    if (event.type === 'incident_opened') return [`${event.incident} ${event.name} opened by ${event.by}`];
    return event.type === 'incident_closed' ? [`${event.incident} ${event.name} ${event.how}`] : [];
  });
}

function incidentsOf(world: MonitorWorld, name: string): (number | null)[] {
  const own = world.events.filter((event) => 'process' in event && event.process.processName === name);
  return [...new Set(own.map(({ incident }) => incident))];
}

test('an incident lasts from the alarm to its clearing, over failed recoveries, and the next alarm begins another', async () => {
  const world = new MonitorWorld();
  let isWell = false;
  const health = () => (isWell ? ({ kind: 'healthy' } as const) : ({ kind: 'unhealthy', reason: 'no' } as const));
  world.alarm(1, 'web', { health });
  await world.poll();
  await world.poll();
  assert.deepEqual(told(world), ['1 web opened by outside']);
  isWell = true;
  await world.poll();
  assert.deepEqual(told(world), ['1 web opened by outside', '1 web cleared']);
  assert.deepEqual(incidentsOf(world, 'web'), [1]);
  const [closed] = world.seen('incident_closed');
  assert.equal(closed?.durationMs, closed && closed.at.getTime() - (world.seen('incident_opened')[0]?.at.getTime() ?? 0));
  world.alarm(1, 'web');
  await world.poll();
  assert.deepEqual(told(world).slice(2), ['2 web opened by outside', '2 web cleared']);
});

test('an alarm that others have cleared ends its incident at the next complete poll; a store that is away ends none', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.holds.set('web', undefined, 'mine');
  await world.poll();
  world.rows.clear();
  world.storeFault.readAlarms = storeError('unreachable');
  await world.poll();
  assert.deepEqual(told(world), ['1 web opened by outside']);
  delete world.storeFault.readAlarms;
  await world.poll();
  assert.deepEqual(told(world), ['1 web opened by outside', '1 web over']);
});

test('what a recovery does after others have cleared the alarm belongs to its incident, which lasts as long', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', { restartMs: 5000 });
  void world.monitor.tick();
  await world.clock.advance(1000);
  world.rows.clear();
  await world.monitor.tick();
  assert.deepEqual(told(world), ['1 web opened by outside']);
  await world.clock.advance(20_000);
  assert.deepEqual(told(world), ['1 web opened by outside', '1 web over']);
  assert.deepEqual(incidentsOf(world, 'web'), [1]);
});

test('that an alarm waits for another process is said once, not at each poll', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'db', { health: () => ({ kind: 'unhealthy', reason: 'no' }) });
  world.alarm(2, 'app', { settings: { dependsOn: ['db'] } });
  for (let i = 0; i < 3; i++) await world.poll();
  assert.equal(world.seen('incident_joined').length, 1);
});

test('two rows of one name are one incident, which lasts until both are cleared', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.alarm(2, 'web');
  await world.poll();
  assert.deepEqual(told(world), ['1 web opened by outside', '1 web cleared']);
  assert.deepEqual(
    world.seen('alarm_cleared').map(({ incident }) => incident),
    [1, 1],
  );
});

test('alarms of one target, and those that wait for another process, belong to the incident of their leader', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'db', { target: 'db' });
  world.alarm(2, 'db-too', { target: 'db' });
  world.alarm(3, 'app', { settings: { dependsOn: ['db'] } });
  await world.poll();
  assert.deepEqual(told(world), [
    '1 db opened by outside',
    '2 db-too opened by outside',
    '3 app opened by outside',
    '3 app joined',
    '2 db-too joined',
    '1 db cleared',
  ]);
  assert.deepEqual(
    world.seen('alarm_cleared').map(({ process, incident }) => `${process.processName} ${incident}`),
    ['db 1', 'db-too 1', 'app 1'],
  );
  const records = world.state.incidents.unfinished();
  assert.deepEqual([records.open, records.lastId], [[], 3]);
});

test('the exit of a watched process begins it; what systemd starts again ends it, and so does the cleared alarm', async () => {
  const clock = new FakeClock();
  const events = new EventBus(clock, (error) => assert.fail(String(error)), new Incidents(memoryState().incidents));
  const world: Pick<MonitorWorld, 'events'> = { events: [] };
  events.subscribe((event) => world.events.push(event));
  const web = { processName: 'web', pid: 7 };
  const process = { processId: '1', processName: 'web', systemName: 'web', systemNameConfigured: false };
  const exited = { type: 'process_exited', ...web, cause: 'exit code 1', uptimeMs: 5, endedAt: new Date(0) } as const;
  const seen = { type: 'process_seen', ...web, since: new Date(0) } as const;
  const raised = { type: 'alarm_raised', processName: 'web', by: 'exit', notes: 'n', where: 'stored' } as const;
  const taken = (...keys: string[]) => ({ type: 'alarms_taken', keys: new Set(keys) }) as const;
  const scenes: [string, MonitorEvent[], string[]][] = [
    ['stopped by an operator', [{ ...exited, expected: true }], []],
    ['in its own recovery', [{ ...exited, expected: false, ours: true }], []],
    ['systemd restarts it', [{ ...exited, expected: true, unasked: true }, seen], ['opened by exit', 'runs']],
    [
      'healed by us',
      [
        ...[{ ...exited, expected: false }, raised, taken()],
        ...[{ type: 'alarm_found', process, key: 'row 1', notes: 'n' } as const, taken('row 1'), seen, taken('row 1')],
        { type: 'alarm_cleared', process, key: 'row 1', sinceFoundMs: 5 },
      ],
      ['opened by exit', 'cleared'],
    ],
    ['not in the store any more', [raised, taken(), taken()], ['opened by exit', 'over']],
    ['acknowledged', [{ ...raised, where: 'acknowledged' }], []],
    [
      'no longer watched',
      [{ ...exited, expected: false }, taken(), { type: 'process_unwatched', processName: 'web' }],
      ['opened by exit', 'unwatched'],
    ],
  ];
  for (const [what, emitted, expected] of scenes) {
    world.events.length = 0;
    for (const event of emitted) events.emit(event);
    assert.deepEqual(
      told(world).map((words) => words.replace(/^\d+ web /, '')),
      expected,
      what,
    );
  }
});

test('an incident outlives the daemon; what is over by then ends with the first poll', async () => {
  const state = memoryState();
  const first = new MonitorWorld({}, state);
  first.holds.set(null, undefined, '');
  first.alarm(1, 'web');
  first.alarm(2, 'db');
  await first.poll();
  const next = new MonitorWorld({}, state);
  next.alarm(2, 'db');
  next.alarm(3, 'new');
  await next.poll();
  assert.deepEqual(told(next), ['3 new opened by outside', '1 web over']);
  assert.deepEqual(incidentsOf(next, 'db'), [2]);
});

test('an incident that only a recovery kept open when the daemon died ends with the first poll of the next', async () => {
  const state = memoryState();
  const begun = { name: 'web', by: 'outside', openedAt: new Date(0), names: ['web'], closed: null } as const;
  state.incidents.set({ ...begun, id: 1, signs: ['recovery web'] });
  const world = new MonitorWorld({}, state);
  await world.poll();
  assert.deepEqual(told(world), ['1 web over']);
});

test('a check that fails belongs to the incident of its process, and one that only warns to its own', () => {
  const clock = new FakeClock();
  const events: EmittedEvent[] = [];
  const bus = new EventBus(clock, (error) => assert.fail(String(error)), new Incidents(memoryState().incidents));
  bus.subscribe((event) => events.push(event));
  const change = (name: string, to: 'ok' | 'failing' | 'unknown' | 'off', isWarning = false): void =>
    bus.emit({ type: 'check_changed', name, processName: 'web', from: 'ok', to, reason: '', isWarning });
  change('memory', 'failing', true);
  change('page', 'failing');
  change('page', 'unknown');
  change('memory', 'ok');
  change('page', 'ok');
  change('page', 'failing');
  change('page', 'off');
  assert.deepEqual(told({ events }), [
    '1 memory opened by check memory',
    '2 web opened by check page',
    '1 memory ok',
    '2 web ok',
    '3 web opened by check page',
    '3 web unwatched',
  ]);
});
