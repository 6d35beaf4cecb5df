import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BreakerSnapshot } from '../../../../src/core/breaker-snapshot.ts';
import {
  admit,
  closedBreaker,
  recordExit,
  recordFailure,
  recordInterruption,
  recordSuccess,
} from '../../../../src/monitor/breaker/transitions.ts';

const rules = {
  maxRestartFailures: 3,
  circuitResetTimeMs: 1000,
  flapRecoveries: 4,
  flapWindowMs: 5000,
  maxExits: 3,
  exitWindowMs: 2500,
};

/** The breaker as a list of what happened, from which everything is worked out anew each time: slow and plain. */
class Model {
  failuresInARow = 0;
  openedAt: number | undefined;
  trial = false;
  successes: number[] = [];
  exits: number[] = [];

  mayStart(now: number): boolean {
    return this.openedAt === undefined || this.trial || now - this.openedAt >= rules.circuitResetTimeMs;
  }

  start(): void {
    if (this.openedAt !== undefined) this.trial = true;
  }

  fail(now: number): void {
    this.failuresInARow++;
    const running = this.openedAt === undefined || this.trial;
    if (running && (this.trial || this.failuresInARow >= rules.maxRestartFailures)) this.openedAt = now;
    this.trial = false;
  }

  succeed(now: number): void {
    const stopped = this.openedAt !== undefined && !this.trial;
    this.failuresInARow = 0;
    this.trial = false;
    this.successes = [...this.successes.filter((at) => now - at < rules.flapWindowMs), now];
    if (stopped) return;
    this.openedAt = undefined;
    if (this.successes.length >= rules.flapRecoveries) {
      this.openedAt = now;
      this.successes = [];
    }
  }

  /** Counts only while recoveries may go on; the trial of an open breaker is one. */
  exit(now: number): void {
    if (this.openedAt !== undefined && !this.trial) return;
    this.exits = [...this.exits.filter((at) => now - at < rules.exitWindowMs), now];
    if (this.exits.length < rules.maxExits) return;
    this.openedAt = now;
    this.trial = false;
    this.exits = [];
  }

  interrupt(): void {
    this.trial = false;
  }
}

test('the breaker does what its plain model does, whatever happens in whatever order', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 1500 }),
    exitsBefore: fc.nat(2),
    exitsDuring: fc.nat(2),
    verdict: fc.constantFrom('succeed', 'fail', 'interrupt'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      let breaker: BreakerSnapshot = closedBreaker;
      let now = 0;
      const exit = (times: number): void => {
        for (let i = 0; i < times; i++) {
          breaker = recordExit(breaker, now, rules);
          model.exit(now);
          assert.equal(breaker.state === 'open', model.openedAt !== undefined && !model.trial);
        }
      };
      for (const { waitMs, exitsBefore, exitsDuring, verdict } of steps) {
        now += waitMs;
        exit(exitsBefore);
        const admission = admit(breaker, now);
        assert.equal(admission.kind === 'admitted', model.mayStart(now));
        if (admission.kind === 'refused') {
          assert.equal(admission.remainingMs, rules.circuitResetTimeMs - (now - (model.openedAt ?? 0)));
          continue;
        }
        model.start();
        breaker = admission.next;
        assert.equal(breaker.state, model.trial ? 'half_open' : 'closed');
        exit(exitsDuring);
        if (verdict === 'succeed') breaker = recordSuccess(breaker, now, rules);
        else if (verdict === 'fail') breaker = recordFailure(breaker, now, rules);
        else breaker = recordInterruption(breaker);
        model[verdict as 'succeed'](now);
        assert.equal(breaker.state === 'open', model.openedAt !== undefined);
        assert.equal(breaker.failures, model.failuresInARow);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a trial that the stop of the daemon interrupted, and that failed, opens it again for the whole time', () => {
  let breaker = closedBreaker;
  for (let i = 0; i < rules.maxRestartFailures; i++) breaker = recordFailure(breaker, 0, rules);
  const admission = admit(breaker, rules.circuitResetTimeMs);
  assert.ok(admission.kind === 'admitted' && admission.halfOpened);
  breaker = recordFailure(recordInterruption(admission.next), rules.circuitResetTimeMs + 1, rules);
  assert.deepEqual(admit(breaker, rules.circuitResetTimeMs + 1), { kind: 'refused', remainingMs: rules.circuitResetTimeMs });
});

test('flap_recoveries = 0 never opens on success and keeps nothing', () => {
  let breaker = closedBreaker;
  for (let i = 0; i < 100; i++) breaker = recordSuccess(breaker, i, { ...rules, flapRecoveries: 0 });
  assert.deepEqual(breaker, closedBreaker);
});

test('max_exits = 0 never opens on exits and keeps nothing', () => {
  let breaker = closedBreaker;
  for (let i = 0; i < 100; i++) breaker = recordExit(breaker, i, { ...rules, maxExits: 0 });
  assert.deepEqual(breaker, closedBreaker);
});

test('exits that are further apart than the window never open it', () => {
  let breaker = closedBreaker;
  for (let i = 0; i < 100; i++) breaker = recordExit(breaker, i * 1250, rules);
  assert.equal(breaker.state, 'closed');
  assert.equal(breaker.exitsMs.length, 2);
});
