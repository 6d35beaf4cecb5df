import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reading } from '../../../../src/detectors/checks/check.ts';
import { after, isInDoubt, notLookedYet, type Standing } from '../../../../src/detectors/checks/standing.ts';
import { seededRandom } from '../../../helpers/seeded-random.ts';

// The state of a check against a model that looks at all readings each time.

interface Model {
  readonly state: Standing['state'];
  readonly raised: number;
}

/** How many readings at the end of the list hold. */
function atEnd(readings: readonly Reading[], holds: (reading: Reading) => boolean): number {
  const from = readings.findLastIndex((reading) => !holds(reading));
  return readings.length - from - 1;
}

/** What the state has to be, by the definition, from the first reading to the last. */
function model(readings: readonly Reading[], failures: number, successes: number): Model {
  let verdict: 'ok' | 'failing' | undefined;
  let state: Standing['state'] = 'unknown';
  let raised = 0;
  let graveSinceRaise = 0;
  readings.forEach((reading, i) => {
    const soFar = readings.slice(0, i + 1);
    const isGrave = reading.kind === 'failing' && !reading.isWarning;
    graveSinceRaise = isGrave ? graveSinceRaise + 1 : 0;
    if (graveSinceRaise === failures) {
      raised++;
      graveSinceRaise = 0;
    }
    if (reading.kind === 'unknown') {
      state = 'unknown';
      return;
    }
    if (reading.kind === 'ok') {
      if (verdict !== 'failing' || atEnd(soFar, ({ kind }) => kind === 'ok') >= successes) verdict = state = 'ok';
      return;
    }
    const isLasting = verdict === 'failing' || atEnd(soFar, ({ kind }) => kind === 'failing') >= failures;
    if (isLasting) verdict = state = 'failing';
  });
  return { state, raised };
}

test('states and alarms are those of the model, for 2,000 random rows of readings', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = seededRandom(seed);
    const [failures, successes] = [1 + Math.floor(random() * 4), 1 + Math.floor(random() * 4)];
    const mood = random();
    const readings: Reading[] = [];
    let standing = notLookedYet();
    let raised = 0;
    for (let i = 0; i < 40; i++) {
      const dice = random();
      if (dice < 0.1) readings.push({ kind: 'unknown', reason: 'u' });
      else if (dice < 0.1 + 0.9 * mood) readings.push({ kind: 'ok' });
      else readings.push({ kind: 'failing', reason: `f${i}`, ...(random() < 0.3 && { isWarning: true as const }) });
      const next = after(standing, readings[i] ?? { kind: 'ok' }, { failures, successes });
      standing = next.standing;
      if (next.raises) raised++;
      const expected = model(readings, failures, successes);
      const story = `seed ${seed}: ${readings.map(({ kind }) => kind[0]).join('')} of ${failures}/${successes}`;
      assert.deepEqual({ state: standing.state, raised }, expected, story);
      assert.equal(standing.reason === '', standing.state === 'ok', story);
    }
  }
});

test('the next look comes soon while a result contradicts the state', () => {
  const thresholds = { failures: 3, successes: 2 };
  const states: boolean[] = [];
  let standing = notLookedYet();
  for (const kind of ['ok', 'failing', 'failing', 'failing', 'failing', 'ok', 'ok', 'unknown', 'failing', 'ok'] as const) {
    standing = after(standing, { kind, reason: 'r' }, thresholds).standing;
    states.push(isInDoubt(standing));
  }
  assert.deepEqual(states, [false, true, true, false, false, true, false, false, true, false]);
});
