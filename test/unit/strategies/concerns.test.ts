import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Concerns } from '../../../src/strategies/concerns.ts';
import type { Plans } from '../../../src/strategies/recovery-plan.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';

/** Concerns whose looks end when the test says so, with what it says; the names looked at, in order, with how to end each. */
function openLooks() {
  const open: { readonly name: string; readonly end: (concern: string | undefined) => void }[] = [];
  const concern = ({ processName: name }: { processName: string }): Promise<string | undefined> =>
    new Promise((end) => open.push({ name, end }));
  // Nothing else of a plan is asked for.
  const plans = (() => ({ settings: {}, strategy: { concern } })) as unknown as Plans;
  const log = new RecordedLog();
  const end = async (name: string, found: string | undefined): Promise<void> => {
    const at = open.findIndex((look) => look.name === name);
    const [look] = open.splice(at, 1);
    assert.ok(look, name);
    look.end(found);
    await new Promise(setImmediate);
  };
  return { concerns: new Concerns(() => plans, log), end, log };
}

test('what a round saw before a later look at one of its programs does not undo that', async () => {
  const { concerns, end, log } = openLooks();
  const round = concerns.look(['app', 'web']);
  await end('app', 'no pin');
  const again = concerns.lookAt('app');
  await end('app', undefined);
  await again;
  assert.equal(concerns.of('app'), undefined);
  await end('web', 'no pin');
  await round;
  assert.deepEqual([concerns.of('app'), concerns.of('web')], [undefined, 'no pin']);
  assert.deepEqual(concerns.names(), ['web']);
  assert.deepEqual(log.of('warning'), ['web would not be started again: no pin']);
});

test('a look that began before the round came to that program does not override the round', async () => {
  const { concerns, end } = openLooks();
  const early = concerns.lookAt('app');
  const round = concerns.look(['app']);
  await end('app', 'an old one');
  await early;
  await end('app', undefined);
  await round;
  assert.equal(concerns.of('app'), undefined);
  const late = concerns.lookAt('other');
  await end('other', 'a concern');
  await late;
  const next = concerns.look(['app']);
  await end('app', undefined);
  await next;
  assert.deepEqual([concerns.looked(), concerns.of('other')], [['app'], undefined], 'it looks at no others any more');
});
