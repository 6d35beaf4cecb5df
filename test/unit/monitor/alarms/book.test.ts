import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { storedAlarm } from '../../../../src/core/alarm.ts';
import { MonitorWorld, storeError } from '../../../helpers/monitor-world.ts';

// Random interleavings of polls, alarms of our own, writes by others, holds, reloads, faults and crashes, against a simple model of the
// promise: every alarm is attempted or skipped with a reason, none after its end was seen, none twice but for a crash, and never two of
// one target at once. The processes are well after a restart; what becomes of those that are not is told by the breaker's own model.

/** Two names mean one target; the third depends on the first. */
const NAMES = ['web', 'www', 'app'] as const;
const TARGETS: Readonly<Record<string, string>> = { web: 'nginx', www: 'nginx', app: 'app' };

type Step =
  | { readonly do: 'raise' | 'end' | 'acknowledge' | 'touch'; readonly row: number }
  | { readonly do: 'exit' | 'hold' | 'release' | 'order'; readonly name: (typeof NAMES)[number] }
  | { readonly do: 'poll' | 'slow poll' | 'observe' | 'act' | 'keep' | 'clear' | 'crash' }
  | { readonly do: 'fail' | 'mend'; readonly call: 'readAlarms' | 'readProcess' | 'clearAlarm' | 'findProcesses' }
  | { readonly do: 'wait'; readonly ms: number };

const row = fc.integer({ min: 1, max: NAMES.length });
const name = fc.constantFrom(...NAMES);
const call = fc.constantFrom('readAlarms' as const, 'readProcess' as const, 'clearAlarm' as const, 'findProcesses' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('raise' as const), row }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'acknowledge' as const, 'touch' as const), row }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('exit' as const, 'order' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const), name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('poll' as const, 'slow poll' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('observe' as const, 'act' as const, 'keep' as const, 'clear' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'mend' as const), call }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 40, 90, 150, 400, 2500) }) },
);

/** The world, and what the model remembers of it. */
class Story {
  world = new MonitorWorld({ maxConcurrentRestarts: 1 });
  /** Alarms raised, crashes, and orders so far: each may cost one restart of the target. */
  readonly allowed = new Map<string, number>();
  readonly restarts = new Map<string, number>();
  readonly running = new Set<string>();
  /** What was seen that must not be, where nobody can throw: the monitor takes what is thrown there for a failed restart. */
  readonly #broken: string[] = [];
  #isPolling = false;
  #serial = 0;

  constructor() {
    this.#settle(this.world);
    NAMES.forEach((processName, i) => {
      const processId = String(i + 1);
      const flags = { alarma: false, sound: false, notes: null, notesDigest: null };
      this.world.rows.set(processId, { processId, processName, ...flags });
    });
  }

  async take(step: Step): Promise<void> {
    const { world } = this;
    switch (step.do) {
      case 'raise':
      case 'end':
      case 'acknowledge':
      case 'touch':
        this.#write(step.do, step.row);
        break;
      case 'exit':
        this.#allow(step.name);
        void world.alarms.raise(step.name, `exit ${++this.#serial}`, 'exit');
        break;
      case 'order': {
        this.#allow(step.name);
        const rows = [...world.rows.values()].filter(({ processName, alarma }) => processName === step.name && alarma);
        void world.queue.order(step.name, rows.map(storedAlarm));
        break;
      }
      case 'hold':
        world.holds.set(step.name, undefined, 'upgrade');
        break;
      case 'release':
        world.holds.release(step.name);
        break;
      case 'poll':
        this.#poll();
        break;
      case 'slow poll':
        await this.#slowPoll();
        break;
      case 'observe':
      case 'act':
        world.settings = { ...world.settings, mode: step.do };
        break;
      case 'keep':
      case 'clear':
        world.settings = { ...world.settings, clearAlarm: step.do === 'clear' };
        break;
      case 'crash':
        this.#crash();
        break;
      case 'fail':
        world.storeFault = { ...world.storeFault, [step.call]: storeError('unreachable') };
        break;
      case 'mend':
        world.storeFault = { ...world.storeFault, [step.call]: undefined };
        break;
      case 'wait':
        await world.clock.advance(step.ms);
        break;
      default:
        step satisfies never;
    }
  }

  /** All faults, holds and modes at an end: whatever is in alarm then is healed and cleared. */
  async end(): Promise<void> {
    const { world } = this;
    world.storeFault = {};
    for (const name of NAMES) world.holds.release(name);
    world.settings = { ...world.settings, mode: 'act', clearAlarm: true };
    for (let i = 0; i < 4; i++) {
      await world.clock.advance(world.settings.circuitResetTimeMs);
      await world.clock.until(() => !this.#isPolling);
      await world.poll();
    }
    const left = [...world.rows.values()].filter(({ alarma, sound }) => alarma && !sound);
    assert.deepEqual(left, [], 'an alarm was lost');
    assert.deepEqual(world.kept.alarms(), [], 'an alarm of our own was lost');
    assert.deepEqual(world.state.journal.list(), [], 'the journal names what is over');
    assert.deepEqual([world.state.handled.list(), world.state.unproved.list()], [[], []]);
    for (const [target, count] of this.restarts)
      assert(count <= (this.allowed.get(target) ?? 0), `${target} was restarted ${count} times`);
  }

  /** Every alarm that the last poll has brought is under way or has ended, or there is a reason why not. */
  check(): void {
    const { world } = this;
    assert.deepEqual(this.#broken, []);
    assert.doesNotMatch(world.log('error'), /Internal error/);
    const { availability } = world.monitor;
    if (availability.state !== 'ok' || world.queue.recovering > 0) return;
    for (const { key, processId } of availability.alarms) {
      const entry = world.book.get(key);
      assert(entry, `${key} is not in the book`);
      const isTold = entry.phase !== 'idle' || entry.skip !== undefined || entry.hasFailed || entry.settledInPoll > 0;
      assert(isTold || world.state.handled.get(processId) !== undefined, `nothing is known of ${key}`);
    }
  }

  #write(what: 'raise' | 'end' | 'acknowledge' | 'touch', id: number): void {
    const row = this.world.rows.get(String(id));
    assert(row);
    if (what === 'end') row.alarma = false;
    if (what === 'acknowledge') row.sound = true;
    // Who writes notes beside an alarm that was healed already has raised another one.
    if (what === 'touch' && !row.alarma) return;
    if (what === 'raise') Object.assign(row, { alarma: true, sound: false });
    if (what === 'raise' || what === 'touch') {
      row.notes = `alarm ${++this.#serial}`;
      this.#allow(row.processName ?? '');
    }
  }

  /** Polls never overlap. */
  #poll(): void {
    const { world } = this;
    if (this.#isPolling) return;
    this.#isPolling = true;
    void world.monitor.tick().then(() => {
      if (world === this.world) this.#isPolling = false;
    });
  }

  /** A poll whose answer is old when it comes: all that the others and we did meanwhile is not in it. */
  async #slowPoll(): Promise<void> {
    const { world } = this;
    if (this.#isPolling) return;
    const { readAlarms } = world.store;
    const answer = readAlarms.call(world.store, []).catch(() => undefined);
    world.store.readAlarms = async () => {
      const rows = await answer;
      await world.clock.sleep(300);
      if (rows === undefined) throw storeError('unreachable');
      return rows;
    };
    this.#poll();
    await Promise.resolve();
    world.store.readAlarms = readAlarms;
  }

  /** The daemon dies: what it was about to do is not done; the next one has its memory, and finds the database as it is. */
  #crash(): void {
    const dead = this.world;
    dead.abort.abort();
    dead.stopping.abort();
    const next = new MonitorWorld(dead.settings, dead.state);
    for (const [id, row] of dead.rows) next.rows.set(id, { ...row });
    this.world = next;
    this.#isPolling = false;
    this.running.clear();
    for (const target of Object.values(TARGETS)) this.allowed.set(target, (this.allowed.get(target) ?? 0) + 1);
    this.#settle(next);
  }

  #allow(processName: string): void {
    const target = TARGETS[processName] ?? '';
    this.allowed.set(target, (this.allowed.get(target) ?? 0) + 1);
  }

  /** What the processes of a world are, and what is looked at when one of them is restarted. */
  #settle(world: MonitorWorld): void {
    for (const processName of NAMES) {
      const target = TARGETS[processName] ?? '';
      world.processes.set(processName, {
        target,
        configured: true,
        settings: { dependsOn: processName === 'app' ? ['web'] : [] },
        begins: () => {
          if (this.running.has(target)) this.#broken.push(`two restarts of ${target} at once`);
          this.running.add(target);
          this.restarts.set(target, (this.restarts.get(target) ?? 0) + 1);
          if (world.settings.mode !== 'act') this.#broken.push(`${target} restarted in mode = observe`);
          if (world.holds.reason(processName) !== undefined) this.#broken.push(`${target} restarted in spite of a hold`);
        },
        restart: () => {
          this.running.delete(target);
          return { kind: 'restarted', detail: 'as it should' };
        },
      });
    }
  }
}

test('random interleavings keep the promise', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const story = new Story();
      for (const each of steps) {
        await story.take(each);
        await story.world.clock.advance(0);
        story.check();
      }
      await story.end();
    }),
    { numRuns: 10_000 },
  );
});
