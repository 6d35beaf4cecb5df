import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listIncidents, readHistory, tellStory } from '../../../src/app/story.ts';
import type { ProcessStatus } from '../../../src/control/status.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const now = { daemonRuns: true, statusOf: async () => ({ state: 'quiet', reason: null }) as ProcessStatus };
const FAILS = 'restart_strategy = custom\nrestart_command = echo no such disk; exit 3\nmax_attempts = 1\n';

test('the story of an incident has all that happened to its processes, from the first sign', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, `[process.web]\nsystem_name = app\n${FAILS}[process.www]\nsystem_name = app\n${FAILS}`);
  addRows(dir, ['web', 'www'], true);
  await core.monitor.tick();
  await core.handler.idle();
  const told = await tellStory(core, 'web', undefined, now);
  assert(told.kind === 'done' && told.incident !== null, JSON.stringify(told));
  assert.deepEqual([told.incident.by, told.incident.closedAt, told.leftOut], ['outside', null, 0]);
  assert.deepEqual([...told.incident.names].sort(), ['web', 'www']);
  const types = told.events.map(({ type }) => type);
  for (const type of [
    'alarm_found',
    'incident_joined',
    'recovery_started',
    'command_output',
    'attempt_failed',
    'recovery_failed',
  ])
    assert.ok(types.includes(type), `${type} in ${types.join()}`);
  assert.deepEqual(told.events.find(({ type }) => type === 'command_output')?.output, ['no such disk']);
  assert.deepEqual(await tellStory(core, 'www', undefined, now), told, 'the same for both');
  assert.deepEqual(await tellStory(core, 'web', told.incident.id, now), told);
  const other = await tellStory(core, 'web', 999, now);
  assert(other.kind === 'refused' && other.code === 'not_found');
  const unknown = await tellStory(core, 'nothing', undefined, now);
  assert(unknown.kind === 'refused' && unknown.code === 'not_found');
});

test('of a long incident the beginning and the end are shown, and how much is left out', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n');
  const { history, incidents } = core.state;
  incidents.set({ id: 1, name: 'web', by: 'exit', openedAt: new Date(0), signs: ['exit web'], names: ['web'], closed: null });
  incidents.set({
    ...{ id: 2, name: 'www', by: 'exit', openedAt: new Date(0), signs: [], names: ['www'] },
    closed: { at: new Date(1), how: 'joined', joined: 1 },
  });
  for (let i = 0; i < 1234; i++)
    history.append({ at: new Date(i), type: 'x', processName: 'web', detail: String(i), incident: i === 3 ? 2 : 1 });
  const told = await tellStory(core, 'web', undefined, now);
  assert(told.kind === 'done');
  assert.deepEqual([told.events.length, told.leftOut, told.incident?.id], [200, 1034, 1]);
  assert.deepEqual(
    [0, 3, 99, 100, 199].map((i) => told.events[i]?.detail),
    ['0', '3', '99', '1134', '1233'],
  );
});

test('the history is filtered by name, type and time, and read in pages', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n[process.db]\n');
  for (let i = 0; i < 10; i++)
    core.state.history.append({
      ...{ at: new Date(i * 1000), type: i % 2 === 0 ? 'even' : 'odd', detail: String(i), incident: null },
      processName: i < 5 ? 'web' : 'db',
    });
  const details = async (filter: Parameters<typeof readHistory>[1]): Promise<string> => {
    const reply = await readHistory(core, filter);
    assert(reply.kind === 'done', JSON.stringify(reply));
    return reply.events.map(({ detail }) => detail).join('');
  };
  assert.equal(await details({}), '0123456789');
  assert.equal(await details({ limit: 3 }), '789');
  assert.equal(await details({ name: 'web', type: 'odd' }), '13');
  assert.equal(await details({ since: new Date(2000).toISOString(), until: new Date(4000).toISOString() }), '234');
  const page = await readHistory(core, { limit: 4 });
  assert(page.kind === 'done');
  assert.equal(await details({ limit: 4, before: page.events[0]?.id ?? 0 }), '2345');
  assert.equal(await details({ limit: 2, after: page.events[0]?.id ?? 0 }), '78');
  assert.equal((await readHistory(core, { name: 'nothing' })).kind, 'refused');
});

test('of a check that has only parts, the story is that of the part that fails; each part has its own', async (t) => {
  const core = await coreWith(
    t,
    tempDir(t),
    '[check.host]\ntype = host\n[check.page]\ntype = command\ncommand = true\nprocess = web\n',
  );
  const { checkStates, history, incidents } = core.state;
  const disk = 'host/disk_percent:/';
  checkStates.set({ name: disk, processName: null, verdict: 'failing', since: new Date(1) });
  checkStates.set({ name: 'host/swap_percent', processName: null, verdict: 'ok', since: new Date(2) });
  for (const [id, name] of [disk, 'host/swap_percent', 'web'].entries()) {
    incidents.set({ id: id + 1, name, by: 'outside', openedAt: new Date(0), signs: [], names: [name], closed: null });
    history.append({ at: new Date(id), type: 'check_changed', processName: name, detail: name, incident: id + 1 });
  }
  const told = async (name: string): Promise<string | undefined> => {
    const story = await tellStory(core, name, undefined, now);
    return story.kind === 'done' ? story.incident?.name : story.reason;
  };
  assert.equal(await told('host'), disk);
  assert.equal(await told('host/swap_percent'), 'host/swap_percent');
  assert.equal(await told('page'), 'web', 'what a check finds belongs to its process');
  for (const [asked, name] of [
    ['host', disk],
    ['host/swap_percent', 'host/swap_percent'],
    ['page', 'web'],
  ] as const) {
    const read = await readHistory(core, { name: asked });
    assert.deepEqual(read.kind === 'done' && read.events.map((event) => event.name), [name]);
  }
});

test('incidents are listed: all that are open, and the last ones that are closed', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n');
  for (let id = 1; id <= 9; id++)
    core.state.incidents.set({
      ...{ id, name: `p${id}`, by: 'exit', openedAt: new Date(id), signs: [], names: [`p${id}`] },
      closed: id % 3 === 0 ? null : { at: new Date(99), how: 'runs', joined: null },
    });
  const told = await listIncidents(core, 2);
  assert(told.kind === 'done');
  assert.deepEqual(
    told.incidents.map(({ id, closedAt, how }) => [id, closedAt === null, how]),
    [
      [3, true, null],
      [6, true, null],
      [7, false, 'runs'],
      [8, false, 'runs'],
      [9, true, null],
    ],
  );
  const all = await listIncidents(core);
  assert(all.kind === 'done' && all.incidents.length === 9);
});
