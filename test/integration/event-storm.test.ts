import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStorm } from '../bench/events.ts';
import { processEventsProblem } from '../helpers/process-event-recorder.ts';
import { skipUnless } from '../helpers/requirement.ts';

/** For the client that is stopped 4 MB wait in the daemon, and what the kernel holds; the rest is lost to it. */
const MORE_THAN_WAITS = 6e6;

test('in a storm of processes, beside a client that is stopped, the others miss nothing that is not reported as lost', {
  skip: skipUnless(await processEventsProblem()),
  timeout: 300_000,
}, async (t) => {
  const { begun, missed, lost, all, peakMb } = await runStorm(() => {}, { rounds: 0, bytes: MORE_THAN_WAITS });
  t.diagnostic(`${begun} processes, ${all} events, ${lost} lost, ${peakMb.toFixed(1)} MB at most`);
  assert.ok(begun > 1000, `${begun} processes`);
  assert.ok(all > begun, `${all} events`);
  assert.ok(missed <= 0, `${missed} exits missed untold`);
  assert.ok(peakMb < 100, `${peakMb} MB`);
});
