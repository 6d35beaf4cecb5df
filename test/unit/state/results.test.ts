import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import type { CheckResultRecord, Rollup } from '../../../src/state/daemon-state.ts';
import { Database } from '../../../src/state/database.ts';
import type { RecordSink } from '../../../src/state/disk.ts';
import { readState } from '../../../src/state/read-state.ts';
import { ResultTable } from '../../../src/state/results.ts';
import { openState } from '../../../src/state/state.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const DAY_MS = 86_400_000;
const SIZES = [300_000, 3_600_000, DAY_MS];
const ROUNDS = Number(process.env.ROLLUP_ROUNDS ?? 500);

/** The rollups of all results at once, as they are defined. */
function rollupsOfAll(results: readonly CheckResultRecord[], name: string, sizeMs: number): Rollup[] {
  const own = results.filter((result) => result.name === name);
  const begins = [...new Set(own.map(({ at }) => at.getTime() - (at.getTime() % sizeMs)))].sort((a, b) => a - b);
  return begins.map((from) => {
    const within = own.filter(({ at }) => at.getTime() >= from && at.getTime() < from + sizeMs);
    const durations = within.map(({ durationMs }) => durationMs);
    return {
      name,
      sizeMs,
      from: new Date(from),
      count: within.length,
      failed: within.filter(({ kind }) => kind === 'failing').length,
      unknown: within.filter(({ kind }) => kind === 'unknown').length,
      held: within.filter(({ isHeld }) => isHeld).length,
      minMs: Math.min(...durations),
      meanMs: durations.reduce((sum, one) => sum + one, 0) / within.length,
      maxMs: Math.max(...durations),
    };
  });
}

test(`${ROUNDS} times: rollups that are made piece by piece, with crashes in between, are those of all results at once`, () => {
  const database = new Database(':memory:', { timeout: 0 });
  let table: ResultTable | undefined;
  let unwritten: CheckResultRecord[] = [];
  let written: CheckResultRecord[] = [];
  const write = (): void => {
    table?.flush(database);
    // A transaction that fails changes nothing, and is made again.
    table?.committed();
    written.push(...unwritten);
    unwritten = [];
  };
  const sink: RecordSink = {
    write: (durability) => void (durability === 'soon' || write()),
    read: (look) => look(database),
  };
  for (const sql of new ResultTable(sink).schema.split(';')) database.run(sql);
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = seededRandom(seed);
    const upTo = (most: number): number => Math.floor(random() * most);
    for (const name of ['results', 'rollups']) database.run(`DELETE FROM ${name}`);
    [unwritten, written] = [[], []];
    let now = 1_750_000_000_000 + upTo(DAY_MS);
    const start = now;
    const open = (): ResultTable => {
      const opened = new ResultTable(sink);
      opened.keep({ storyMs: 1, results: 3, maxBytes: 2 ** 40 });
      return opened;
    };
    table = open();
    for (let i = 0; i < 120; i++) {
      now += upTo(1000) * 10 ** upTo(4);
      const kind = (['ok', 'ok', 'failing', 'unknown'] as const)[upTo(4)] ?? 'ok';
      const name = ['a', 'a/x', 'b'][upTo(3)] ?? 'a';
      const result = {
        name,
        at: new Date(now),
        kind,
        reason: kind === 'ok' ? '' : 'r',
        durationMs: upTo(5000),
        isHeld: upTo(5) === 0,
      };
      unwritten.push(result);
      table.add(result);
      if (upTo(8) === 0) write();
      if (upTo(20) > 0) continue;
      // A crash: what waits is lost.
      unwritten = [];
      table = open();
    }
    write();
    assert.ok(now - start < 6 * DAY_MS, 'none is too old');
    for (const name of ['a', 'a/x', 'b'])
      for (const size of SIZES)
        assert.deepEqual(table.rollups(name, size, new Date(0)), rollupsOfAll(written, name, size), `seed ${seed}`);
    const own = written.filter(({ name }) => name === 'a').slice(-2);
    assert.deepEqual(table.last('a', 2), own, `seed ${seed}`);
  }
  database.close();
});

test('results wait for what is written anyway, and a command reads them', (t) => {
  const dir = tempDir(t);
  const state = openState(dir, { log: new RecordedLog(), clock: systemClock });
  t.after(() => state.close());
  state.history.append({ at: new Date(1), type: 't', processName: 'x', incident: null, detail: '' });
  state.history.find({ limit: 1 });
  const result = { name: 'a', at: new Date(), kind: 'failing', reason: 'no\u001b page', durationMs: 7, isHeld: true } as const;
  state.results.add(result);
  const read = (): readonly CheckResultRecord[] => {
    const look = readState(dir, systemClock);
    assert(look.kind === 'read');
    const found = look.state.results.last('a', 5);
    look.state.close();
    return found;
  };
  assert.deepEqual(read(), []);
  state.timeline.startLife(new Date());
  state.timeline.find(new Date(0));
  assert.deepEqual(read(), [{ ...result, reason: 'no? page' }]);
});

test('the oldest results of each check go, in portions, and so do old rollups; of a file that is too large they go before the story', (t) => {
  const dir = tempDir(t);
  const state = openState(dir, { log: new RecordedLog(), clock: systemClock });
  t.after(() => state.close());
  const database = new DatabaseSync(join(dir, 'history.db'), { timeout: 5000 });
  t.after(() => database.close());
  const count = (what: string): number => Number(database.prepare(`SELECT count(*) AS n FROM ${what}`).get()?.n);
  const limits = { storyMs: 10_000 * DAY_MS, results: 50, maxBytes: 2 ** 40 };
  const add = (name: string, at: number, reason = ''): void =>
    state.results.add({ name, at: new Date(at), kind: 'failing', reason, durationMs: 1, isHeld: false });
  state.results.keep(limits);
  state.history.keep(limits);
  const start = 1_750_000_000_000;
  for (let i = 0; i < 3000; i++) {
    add('a', start + i * 1000);
    if (i % 100 === 99) state.results.last('a', 1);
  }
  const left = count("results WHERE name = 'a'");
  assert.ok(left >= 50 && left <= 150, `${left} are left`);
  assert.equal(
    state.results.rollups('a', DAY_MS, new Date(0)).reduce((sum, { count: n }) => sum + n, 0),
    3000,
  );
  assert.ok(count('rollups WHERE size = 300000') >= 10);
  add('b', start + 8 * DAY_MS);
  state.results.last('b', 1);
  assert.equal(count("rollups WHERE size = 300000 AND name = 'a'"), 0, 'after 7 days');
  assert.equal(count("rollups WHERE size = 3600000 AND name = 'a'"), 1);
  add('b', start + 91 * DAY_MS);
  state.results.last('b', 1);
  assert.equal(count("rollups WHERE size = 3600000 AND name = 'a'"), 0, 'after 90 days');
  assert.equal(count("rollups WHERE size = 86400000 AND name = 'a'"), 1);
  add('b', start + 402 * DAY_MS);
  state.results.last('b', 1);
  assert.equal(count("rollups WHERE name = 'a'"), 0, 'after 400 days');
  assert.equal(count("results WHERE name = 'a'"), Math.max(0, left - 100), 'a portion of what is too old');

  state.results.keep({ ...limits, results: 100_000 });
  for (let i = 0; i < 6000; i++) add('c', start + 402 * DAY_MS + i, 'x'.repeat(400));
  for (let i = 0; i < 3000; i++)
    state.history.append({ at: new Date(start), type: 't', processName: 'x', incident: null, detail: 'y'.repeat(400) });
  state.results.last('c', 1);
  const before = count('results');
  assert.ok(before >= 6000 && count('history') === 3000);
  const small = { ...limits, results: 100_000, maxBytes: 1024 };
  state.results.keep(small);
  state.history.keep(small);
  const next = (): void => {
    state.history.append({ at: new Date(start), type: 't', processName: 'x', incident: null, detail: '' });
    state.history.find({ limit: 1 });
  };
  next();
  assert.equal(count('results'), before - 2000, 'a portion');
  assert.equal(count('history'), 3001, 'the story is still there');
  for (let i = 0; i < 4; i++) next();
  assert.equal(count('results'), 0);
  assert.ok(count('history') < 3000, 'the story is last');
});
