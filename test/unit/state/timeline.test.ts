import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import type { DaemonState, Span } from '../../../src/state/daemon-state.ts';
import { Database } from '../../../src/state/database.ts';
import type { RecordSink } from '../../../src/state/disk.ts';
import { readState } from '../../../src/state/read-state.ts';
import { openState } from '../../../src/state/state.ts';
import { TimelineTable } from '../../../src/state/timeline.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

function world(dir: string, clock = new FakeClock()) {
  const open = (): DaemonState => openState(dir, { log: new RecordedLog(), clock, bootId: 'b' });
  return { clock, state: open(), open };
}

const all = new Date(0);
const shown = (spans: readonly Span[]): string[] =>
  spans.map(({ kind, name, to }) => `${kind} ${name}${to === null ? '…' : ''}`).sort();

test('a heartbeat is written at most once a minute, and never in another form than with what is written anyway', async (t) => {
  const dir = tempDir(t);
  const { clock, state } = world(dir);
  t.after(() => state.close());
  const ended = (): number => {
    const database = new DatabaseSync(join(dir, 'history.db'), { readOnly: true });
    const [row] = database.prepare("SELECT ended FROM timeline WHERE kind = 'run'").all();
    database.close();
    return Number(row?.ended);
  };
  const start = clock.date().getTime();
  state.timeline.startLife(clock.date());
  state.timeline.find(all);
  const written = new Set<number>();
  for (let second = 0; second < 600; second += 10) {
    await clock.advance(10_000);
    state.timeline.beat(clock.date());
    written.add(ended() - start);
  }
  assert.deepEqual(
    [...written],
    [0, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600].map((s) => s * 1000),
  );
  await clock.advance(10_000);
  state.history.append({ at: clock.date(), type: 't', processName: 'x', incident: null, detail: '' });
  state.history.find({ limit: 1 });
  assert.equal(ended() - start, 610_000, 'what is written anyway says that the daemon lives');
});

test('a command reads what the daemon has written, and without a daemon what the last one left', async (t) => {
  const dir = tempDir(t);
  const { clock, state, open } = world(dir);
  state.timeline.startLife(clock.date());
  state.timeline.begin('known', 'web', clock.date());
  state.timeline.begin('ok', 'page', clock.date());
  state.timeline.begin('down', 'web', clock.date(), { incident: 4 });
  state.timeline.begin('held', '', clock.date(), { until: new Date(clock.date().getTime() + 3_600_000) });
  await clock.advance(5000);
  state.close();
  const look = readState(dir, clock);
  assert(look.kind === 'read');
  assert.deepEqual(shown(look.state.timeline.find(all)), ['down web…', 'held ', 'known web…', 'ok page…', 'run ']);
  assert.deepEqual(shown(look.state.timeline.find(all, ['page'])), ['held ', 'ok page…', 'run ']);
  look.state.close();
  await clock.advance(5000);
  const next = open();
  t.after(() => next.close());
  next.timeline.startLife(clock.date());
  assert.deepEqual(next.timeline.lasting('known'), ['web']);
  assert.deepEqual(next.timeline.lasting('held'), ['']);
  assert.deepEqual(next.timeline.lasting('ok'), [], 'it has to look again');
  next.timeline.endIncident(4, clock.date(), null);
  const [down] = next.timeline.find(all, ['web']).filter(({ kind }) => kind === 'down');
  assert.equal(Number(down?.to) - Number(down?.from), 10_000);
});

test('what a damaged history.db has lost is not known, and no incident of it stays open for ever', async (t) => {
  const dir = tempDir(t);
  const { clock, state } = world(dir);
  t.after(() => state.close());
  state.timeline.startLife(clock.date());
  state.timeline.begin('known', 'web', clock.date());
  state.timeline.begin('down', 'web', clock.date(), { incident: 4 });
  await clock.advance(10_000);
  state.timeline.endIncident(4, clock.date(), null);
  state.timeline.find(all);
  const database = new DatabaseSync(join(dir, 'history.db'));
  // Behind its back, as a dying disk would.
  database.exec('DROP TABLE timeline');
  database.close();
  await clock.advance(60_000);
  const lostAt = clock.date().getTime();
  state.timeline.beat(clock.date());
  await clock.advance(60_000);
  state.timeline.beat(clock.date());
  const spans = state.timeline.find(all);
  assert.ok(!spans.some(({ kind }) => kind === 'down'), 'the outage is lost');
  const runs = spans.filter(({ kind }) => kind === 'run');
  assert.ok(runs.some(({ from, to }) => from >= lostAt && Number(to) > lostAt));
  assert.ok(
    !runs.some(({ from, to }) => from < lostAt - 60_000 && Number(to) > lostAt - 60_000),
    `the time of the outage is not known: ${JSON.stringify(runs)}`,
  );
  state.timeline.begin('alarm', 'web', clock.date(), { incident: 9 });
  state.timeline.keepIncidents(new Set([8]), clock.date());
  assert.deepEqual(state.timeline.lasting('alarm'), []);
});

test('of too many changes the oldest go in portions, and before them nothing is known', (t) => {
  let now = 1_750_000_000_000;
  const clock = { ...systemClock, date: () => new Date(now) };
  const state = openState(tempDir(t), { log: new RecordedLog(), clock, bootId: 'b' });
  t.after(() => state.close());
  const { timeline } = state;
  const start = now;
  timeline.startLife(clock.date());
  timeline.begin('known', 'web', clock.date());
  let portion = 0;
  let before = 0;
  for (let i = 1; i <= 52_000; i++) {
    now += 100;
    timeline.begin(i % 2 === 0 ? 'ok' : 'failing', 'c', clock.date());
    now += 100;
    timeline.end(i % 2 === 0 ? 'ok' : 'failing', 'c', clock.date());
    if (i % 200 > 0) continue;
    const { length } = timeline.find(all, i < 50_000 ? ['none'] : undefined);
    if (i >= 50_000) portion = Math.max(portion, before - length);
    before = length;
  }
  assert.ok(portion > 0 && portion <= 1000, `${portion} at once`);
  const spans = timeline.find(all);
  assert.ok(spans.length > 48_500 && spans.length <= 50_300, `${spans.length} are left`);
  const [run] = spans.filter(({ kind }) => kind === 'run');
  const first = Math.min(...spans.flatMap(({ kind, from }) => (kind === 'ok' || kind === 'failing' ? [from] : [])));
  assert.ok(run !== undefined && run.from > start && run.from <= first, 'known from the first change on that is left');
  assert.deepEqual(
    spans.filter(({ kind }) => kind === 'known').map(({ to }) => to),
    [null],
    'what lasts stays',
  );
});

test('while the disk cannot be written, of more changes than the memory takes none makes a time that was down known as up', () => {
  const database = new Database(':memory:', { timeout: 0 });
  let now = 1_750_000_000_000;
  let isBroken = false;
  const sink: RecordSink = {
    write: (durability) => {
      if (isBroken || durability === 'soon') return;
      table.flush(database);
      table.committed();
    },
    read: (look) => look(database),
  };
  const table = new TimelineTable(sink, { ...systemClock, date: () => new Date(now) });
  for (const sql of table.schema.split(';')) database.run(sql);
  table.startLife(new Date(now));
  table.begin('ok', 'c', new Date(now));
  now += 1000;
  table.find(all);
  isBroken = true;
  now += 1000;
  table.end('ok', 'c', new Date(now));
  const brokenAt = now;
  for (let i = 0; i < 6000; i++) {
    now += 10;
    table.begin('failing', 'c', new Date(now));
    table.end('failing', 'c', new Date(now + 5));
    if (i % 1000 === 0) table.beat(new Date(now));
  }
  isBroken = false;
  now += 59_000;
  table.beat(new Date(now));
  now += 1000;
  const spans = table.find(all);
  assert.deepEqual(
    spans.filter(({ kind }) => kind === 'ok').map(({ to }) => to),
    [brokenAt],
  );
  const lost = spans.filter(({ kind }) => kind === 'failing').length;
  assert.ok(lost < 5500, `${lost} are kept`);
  const during = brokenAt + 20_000;
  assert.ok(!spans.some(({ kind, from, to }) => kind === 'run' && from <= during && Number(to) > during));
  database.close();
});
