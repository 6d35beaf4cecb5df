import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import { type Galera, type GaleraNode, galeraProblem, startGalera } from '../helpers/galera.ts';
import { type BurstTimes, GaleraBurst } from '../helpers/galera-burst.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { mysqlOptions } from '../helpers/store-worlds.ts';
import { waitFor } from '../helpers/wait-for.ts';

const READ_TIMEOUT_S = 15;
/** Beside what the cluster itself takes: generous for a busy machine, and still less than a read that is waited for. */
const SLACK_MS = 10_000;

/** Mostly: fifty alarms, and in the midst of them something happens to the node that the daemon is connected to. Each is healed once. */
describe('a Galera cluster of three nodes', { skip: skipUnless(galeraProblem()), timeout: 600_000 }, () => {
  let galera: Galera;
  before(async () => {
    galera = await startGalera();
  });
  after(() => galera?.stop());

  const survive = async (t: TestContext, fault: (burst: GaleraBurst) => Promise<void>): Promise<BurstTimes> => {
    await galera.whole();
    const burst = await GaleraBurst.open(t, galera, { read_timeout: READ_TIMEOUT_S });
    const daemon = await burst.world.start();
    await burst.world.until('it is connected', async () => (await burst.world.status()).store.state === 'ok');
    await burst.raise();
    await burst.midway();
    const times = await burst.through(() => fault(burst), 120_000);
    // Some polls more, which find nothing.
    await burst.world.until('it has polled again', async () => (await burst.world.status()).store.state === 'ok');
    assert.equal((await daemon.stop()).code, 0);
    assert.deepEqual(burst.restarts(), { ids: burst.ids, twice: [] }, 'nothing is lost, nothing done twice');
    t.diagnostic(`writable after ${Math.round(times.writableMs)} ms, cleared after ${Math.round(times.clearedMs)} ms`);
    return times;
  };

  test('cut off from the others', async (t) => {
    const [first] = galera.nodes;
    t.after(() => first.isolate(false));
    const { writableMs, clearedMs } = await survive(t, () => first.isolate(true));
    assert.ok(clearedMs <= writableMs + SLACK_MS, `cleared after ${clearedMs} ms, writable after ${writableMs} ms`);
  });

  test('cut off, and the next one holds back what the others wrote', async (t) => {
    const [first, second] = galera.nodes;
    const undo: (() => Promise<void>)[] = [() => first.isolate(false)];
    t.after(async () => {
      for (const each of undo) await each();
    });
    const { writableMs, clearedMs } = await survive(t, async (burst) => {
      undo.push(await second.holdApplier());
      const held = await burst.cleared(second);
      await burst.world.until('it is behind', async () => (await burst.cleared()) >= held + 5);
      await first.isolate(true);
    });
    const limitMs = writableMs + READ_TIMEOUT_S * 1000 + SLACK_MS;
    assert.ok(clearedMs <= limitMs, `cleared after ${clearedMs} ms, writable after ${writableMs} ms`);
  });

  test('stopped', async (t) => {
    const [first] = galera.nodes;
    t.after(() => first.resume());
    const { writableMs, clearedMs } = await survive(t, () => first.pause());
    const limitMs = writableMs + READ_TIMEOUT_S * 1000 + SLACK_MS;
    assert.ok(clearedMs <= limitMs, `cleared after ${clearedMs} ms, writable after ${writableMs} ms`);
  });

  test('outside of the cluster already when the daemon starts', async (t) => {
    const [first] = galera.nodes;
    await galera.whole();
    const burst = await GaleraBurst.open(t, galera, { read_timeout: READ_TIMEOUT_S });
    t.after(() => first.isolate(false));
    await first.isolate(true);
    await first.outside();
    const daemon = await burst.world.start();
    await burst.raise();
    await burst.world.allClear();
    assert.equal((await daemon.stop()).code, 0);
    assert.deepEqual(burst.restarts(), { ids: burst.ids, twice: [] });
  });

  test('a read waits for what others wrote, or asks the next node', async (t) => {
    const [, second, third] = galera.nodes;
    await galera.whole();
    const burst = await GaleraBurst.open(t, galera, {});
    const store = (readTimeoutMs: number, ...nodes: readonly GaleraNode[]): MysqlStore => {
      const endpoints = nodes.map(({ address, port }) => ({ kind: 'tcp', host: address, port }) as const);
      const options = { endpoints, user: 'monitor', database: burst.world.database, readTimeoutMs };
      const opened = new MysqlStore(mysqlOptions(second, options));
      t.after(() => opened.close());
      return opened;
    };
    const patient = store(60_000, second);
    assert.deepEqual((await patient.readAlarms()).rows, []);
    const release = await second.holdApplier();
    let isReleased = false;
    await burst.raise();
    const waiting = patient.readAlarms().then(({ rows }) => ({ rows, isReleased }));
    // It waits while others give up.
    assert.equal((await store(500, second, third).readAlarms()).rows.length, burst.ids.length);
    await assert.rejects(store(500, second).readAlarms(), { fault: 'timeout' });
    isReleased = true;
    await release();
    const { rows, isReleased: waited } = await waiting;
    assert.deepEqual([rows.length, waited], [burst.ids.length, true]);
  });

  test('a node that is back gets the calls back', async (t) => {
    const [first, second] = galera.nodes;
    await galera.whole();
    const burst = await GaleraBurst.open(t, galera, {});
    const endpoints = [first, second].map(({ address, port }) => ({ kind: 'tcp', host: address, port }) as const);
    const options = { endpoints, user: 'monitor', database: burst.world.database, readTimeoutMs: 20_000, failbackMs: 2000 };
    const store = new MysqlStore(mysqlOptions(second, options));
    t.after(() => store.close());
    t.after(() => first.isolate(false));
    const isAt = (node: GaleraNode): boolean => store.description.includes(`${node.address}:`);
    await store.readAlarms();
    assert.ok(isAt(first));
    await first.isolate(true);
    await waitFor('the second answers', async () => (await store.readAlarms()).rows.length === 0 && isAt(second));
    await asked(first, 4);
    assert.ok(isAt(second), 'the first answers, but cannot know');
    await first.isolate(false);
    await waitFor('the first is used again', () => isAt(first));
    assert.deepEqual((await store.readAlarms()).rows, []);
  });

  /** Waits until the node was asked so many things, by others than us. */
  async function asked(node: GaleraNode, times: number): Promise<void> {
    const questions = async () => Number((await node.sql("SHOW GLOBAL STATUS LIKE 'Questions'"))[0]?.Value);
    const before = await questions();
    let ours = 0;
    await waitFor(`${node.name} is asked`, async () => (await questions()) - before - ++ours >= times);
  }

  test('killed', async (t) => {
    const [first] = galera.nodes;
    const { writableMs, clearedMs } = await survive(t, () => first.kill());
    assert.ok(clearedMs <= writableMs + SLACK_MS, `cleared after ${clearedMs} ms, writable after ${writableMs} ms`);
  });
});
