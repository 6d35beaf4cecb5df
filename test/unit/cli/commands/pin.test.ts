import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { askOn } from '../../../../src/cli/terminal/ask.ts';
import type { Orders } from '../../../../src/control/orders.ts';
import { type CliRunOptions, runCommand } from '../../../helpers/cli-world.ts';
import { startControl } from '../../../helpers/control-world.ts';
import { someOffer } from '../../../helpers/scripted-orders.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** Runs `pin …` beside a daemon whose orders are `script`. */
async function pin(t: TestContext, argv: readonly string[], options: CliRunOptions = {}, script: Partial<Orders> = {}) {
  const { socket, calls } = await startControl(t, script);
  const file = join(tempDir(t), 'config.ini');
  writeFileSync(file, `[control]\nsocket = ${socket}\n`, { mode: 0o600 });
  const run = await runCommand(['--config', file, 'pin', ...argv], options);
  return { ...run, orders: calls };
}

const DIGEST = 'd'.repeat(64);

test('pin shows what would be started, never a value of the environment, and asks', async (t) => {
  const { code, stdout, orders } = await pin(t, ['app'], { answer: true });
  assert.equal(code, 0);
  assert.deepEqual(orders, [
    ['pins', 'app'],
    ['pin', 'app', DIGEST],
  ]);
  assert.deepEqual(stdout.split('\n'), [
    'app: as it runs now',
    '  why:         it would be started as root: /home/joe belongs to user 1000; run `monitor_service pin app` or set start_command',
    '  command:     python3 /home/joe/app.py "two words"',
    '  user:        0, group 0',
    '  directory:   /home/joe',
    '  environment: PATH TOKEN',
    `  executes:    /usr/bin/python3.11 (SHA-256 ${'e'.repeat(64)})`,
    `  executes:    /home/joe/app.py (SHA-256 ${'f'.repeat(64)})`,
    'pinned: app',
    '',
  ]);
});

test('a circuit breaker that was closed by it is reported', async (t) => {
  const order: Orders['pin'] = async (name) => ({ kind: 'done', pinned: [name], closed: [name] });
  const { stdout } = await pin(t, ['app', '--yes'], {}, { pin: order });
  assert.match(stdout, /\npinned: app\ncircuit breaker closed: app\n$/);
});

test('no is no, and without a terminal nobody is taken to have said yes', async (t) => {
  const no = await pin(t, ['app'], { answer: false });
  assert.deepEqual([no.code, no.orders], [1, [['pins', 'app']]]);
  assert.match(no.stdout, /nothing was pinned\n$/);
  for (const argv of [['app'], ['--all'], ['app', '--json']]) {
    const dumb = await pin(t, argv);
    assert.deepEqual([dumb.code, dumb.orders], [64, [['pins', argv[0] === 'app' ? 'app' : undefined]]]);
    assert.match(dumb.stderr, /expected --yes, or a terminal to ask on/);
  }
  // Nor is anybody asked for a word where none is needed.
  const none = await pin(t, ['--all'], {}, { pins: async () => ({ kind: 'done', offers: [], refusals: [] }) });
  assert.deepEqual([none.code, none.stdout, none.stderr], [0, 'no program needs a pin\n', '']);
  assert.equal((await pin(t, ['app', '--all', '--yes'])).code, 64);
});

test('--all --yes pins each of them and names those that cannot be', async (t) => {
  const offers = [someOffer({ name: 'a', concern: null, running: false }), someOffer({ name: 'b' })];
  const refusals = [{ name: 'c', reason: 'it is confined' }];
  const pins: Orders['pins'] = async () => ({ kind: 'done', offers, refusals });
  const run = await pin(t, ['--all', '--yes'], {}, { pins });
  assert.equal(run.code, 1);
  assert.deepEqual(run.orders, [
    ['pins', undefined],
    ['pin', 'a', DIGEST],
    ['pin', 'b', DIGEST],
  ]);
  assert.match(run.stdout, /^a: as it was recorded\n {2}command: /);
  assert.match(run.stderr, /c cannot be pinned: it is confined\n/);
  const json = await pin(t, ['--all', '--yes', '--json'], {}, { pins });
  const printed = JSON.parse(json.stdout) as { pinned: { name: string }[]; refused: unknown };
  assert.deepEqual(
    printed.pinned.map(({ name }) => name),
    ['a', 'b'],
  );
  assert.deepEqual(printed.refused, refusals);
});

test('one that cannot be pinned is nothing to try again: nothing was pinned', async (t) => {
  const refusals = [{ name: 'x', reason: 'start_command says how it is started, which needs no pin' }];
  const pins: Orders['pins'] = async () => ({ kind: 'done', offers: [], refusals });
  const run = await pin(t, ['x', '--yes'], {}, { pins });
  assert.deepEqual([run.code, run.stdout], [1, '']);
  assert.equal(run.stderr, `monitor_service: x cannot be pinned: ${refusals[0]?.reason}\n`);
  assert.deepEqual(run.orders, [['pins', 'x']]);
});

test('what is not known, may not be ordered, or has changed meanwhile ends with its own code', async (t) => {
  for (const [code, exit] of [
    ['not_found', 66],
    ['denied', 77],
    ['conflict', 75],
  ] as const) {
    const refuse: Orders['pins'] = async () => ({ kind: 'refused', code, reason: 'because' });
    assert.equal((await pin(t, ['x', '--yes'], {}, { pins: refuse })).code, exit);
  }
  const late: Orders['pin'] = async () => ({ kind: 'refused', code: 'conflict', reason: 'another by now' });
  const changed = await pin(t, ['x', '--yes'], {}, { pin: late });
  assert.deepEqual([changed.code, changed.stderr], [75, 'monitor_service: another by now\n']);
});

test('while no daemon runs the command line pins by itself', async (t) => {
  const file = join(tempDir(t), 'config.ini');
  writeFileSync(file, `[control]\nsocket = ${join(tempDir(t), 'none.sock')}\n`, { mode: 0o600 });
  const run = await runCommand(['--config', file, 'pin', 'app', '--yes']);
  assert.deepEqual(run.calls, [
    ['offline', file, 'pins', 'app'],
    ['offline', file, 'pin', 'app', DIGEST],
  ]);
});

test('only y or yes is yes; the end of the input is no', async () => {
  const answer = async (text: string): Promise<boolean> => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    input.end(text);
    return askOn(input, output, 'Pin this? [y/N] ');
  };
  for (const text of ['y\n', 'YES\n', ' y \n']) assert.equal(await answer(text), true, text);
  for (const text of ['n\n', '\n', 'yess\n', '']) assert.equal(await answer(text), false, text);
});
