import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, answerShape } from '../../../../src/probes/worker/answer.ts';
import { serve } from '../../../../src/probes/worker/serve.ts';
import { type Work, workLine } from '../../../../src/probes/worker/work.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { tcpWork } from '../../../helpers/worker-world.ts';

/** What is answered for one piece of work with that limit, which is done as `doWork` says. */
async function answered(timeoutMs: number, doWork: (work: Work) => Promise<Answer>): Promise<Answer> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  serve(input, output, doWork, () => {});
  input.write(workLine(1, tcpWork(1), timeoutMs));
  for await (const line of createInterface({ input: output })) return answerShape(JSON.parse(line), '').answer;
  throw new Error('nothing was answered');
}

const failing: Answer = { kind: 'failing', reason: 'no complete answer within 0.3 s' };

test('what is overdue because the worker itself was held up says nothing about the target', async () => {
  const held = await answered(300, async () => {
    const end = performance.now() + 300;
    while (performance.now() < end);
    return failing;
  });
  assert.deepEqual(held, { kind: 'unknown', reason: 'the worker was too busy to look' });
});

test('what is overdue by itself, or fails in time, is failing', async () => {
  const late = async (): Promise<Answer> => {
    await delay(2000);
    return failing;
  };
  // This process may be held up too.
  await waitFor('an answer that came late by itself', async () => (await answered(2000, late)).kind === 'failing');
  assert.deepEqual(await answered(60_000, async () => failing), failing);
});
