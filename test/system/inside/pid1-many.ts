import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setImmediate as breathe, setTimeout as delay } from 'node:timers/promises';
import { OutputPipe } from '../../../src/system/spawn/output-pipe.ts';
import { ProgramOutput } from '../../../src/system/spawn/started-program.ts';
import { Systemd } from '../../../src/system/systemd/manager.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { defineUnits, openWay, ourUnits, systemctl, WAYS, ways } from './pid1-ways.ts';

// Runs under a real systemd, where it is PID 1: see pid1.test.ts.

const COMMANDS = 200;
const QUESTIONS = 200;
const UNITS = 50;

for (const by of ways) {
  test(`${COMMANDS} commands at once over ${by === 'bus' ? 'the bus' : 'the private socket'}: each has its own end and output`, async (t) => {
    const { run } = openWay(t, WAYS[by]);
    const results = await Promise.all(
      Array.from({ length: COMMANDS }, (_, i) =>
        run(`echo ${i}; echo "$NUMBER" >&2; exit ${i % 256}`, {
          kind: i % 2 === 0 ? 'check' : 'action',
          environment: { NUMBER: `number ${i}` },
          timeoutMs: 120_000,
        }),
      ),
    );
    const expected = results.map((_, i) => ({ kind: 'exited', exitCode: i % 256, output: `${i}\nnumber ${i}\n` }));
    assert.deepEqual(results, expected);
    await waitFor('no unit is left', () => ourUnits().length === 0);
  });

  test(`${QUESTIONS} questions at once over ${by === 'bus' ? 'the bus' : 'the private socket'} are all answered`, async (t) => {
    const { services } = openWay(t, WAYS[by]);
    const units = Array.from({ length: QUESTIONS }, (_, i) => (i % 2 === 0 ? 'basic.target' : `no-such-${i}.service`));
    const shown = await Promise.all(units.map((unit) => services.show(unit, never)));
    for (const [i, answer] of shown.entries()) {
      const expected = i % 2 === 0 ? ['loaded', 'active'] : ['not-found', 'inactive'];
      assert(answer.kind === 'status', JSON.stringify(answer));
      assert.deepEqual([answer.status.loadState, answer.status.activeState], expected);
    }
  });
}

test('what a command said is not lost if the loop was held up just when it was over', async () => {
  const pipe = OutputPipe.open();
  assert(pipe !== undefined);
  const output = new ProgramOutput({ stdout: pipe.take(), stderr: undefined });
  // Behind the loop's look at what can be read: the next comes after its look at the timers.
  await breathe();
  writeSync(pipe.write, 'said\n');
  pipe.close();
  const finished = output.finish();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  await finished;
  assert.equal(output.stdout(), 'said\n');
});

test(`${UNITS} watched units: each death is reported, and every watcher is notified once the bus is back`, async (t) => {
  const seed = Date.now() % 100_000;
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const watched = watchAll(t);
  await waitFor('the first word', () => watched.every(({ calls }) => calls() > 0));
  const order = [...watched].sort(() => random() - 0.5);
  const [first, amid, last] = [order.slice(0, 20), order.slice(20, 35), order.slice(35)];

  const quiet = new Map([...amid, ...last].map((unit) => [unit, unit.calls()]));
  await killEach(first, random);
  for (const [unit, calls] of quiet) assert.equal(unit.calls(), calls, `${unit.name}: nobody but whom it is about is told`);

  const before = new Map(watched.map((unit) => [unit, unit.calls()]));
  const killing = killEach(amid, random);
  await delay(random() * 100);
  systemctl('restart', 'dbus.service');
  await killing;
  await waitFor('everybody is told', () => watched.every((unit) => unit.calls() > (before.get(unit) ?? 0)));

  await killEach(last, random);
  for (const unit of watched) unit.stop();
  const after = watched.map(({ calls }) => calls());
  systemctl('start', ...watched.map(({ name }) => name));
  assert.deepEqual(
    watched.map(({ calls }) => calls()),
    after,
    'who does not watch any more is not told',
  );
});

interface Watched {
  readonly name: string;
  readonly pid: number;
  /** How often it was told of. */
  calls(): number;
  stop(): void;
}

/** Running units that stay down once they are killed. */
function watchAll(t: TestContext): Watched[] {
  defineUnits(t, { 'pid1-watched@.service': ['ExecStart=/bin/sleep 600'] });
  const names = Array.from({ length: UNITS }, (_, i) => `pid1-watched@${i}.service`);
  systemctl('start', ...names);
  const argv = ['show', '--value', '--property=MainPID', ...names];
  const pids = execFileSync('systemctl', argv, { encoding: 'utf8' }).split('\n').filter(Boolean).map(Number);
  const systemd = new Systemd();
  return names.map((name, i) => {
    let calls = 0;
    const stop = systemd.watch(name, () => {
      calls++;
    });
    t.after(stop);
    return { name, pid: pids[i] ?? 0, calls: () => calls, stop };
  });
}

/** At random moments, and waits until each is told of. */
async function killEach(units: readonly Watched[], random: () => number): Promise<void> {
  await Promise.all(
    units.map(async ({ name, pid, calls }) => {
      await delay(random() * 500);
      const before = calls();
      process.kill(pid, 'SIGKILL');
      await waitFor(`a word of ${name}`, () => calls() > before);
    }),
  );
}
