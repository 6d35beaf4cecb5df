import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import type { CommandRunner } from '../../../src/system/runs/runner.ts';
import { appUnit } from '../../../src/system/systemd/unit/name.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { kinds, openWay, ourUnits, systemctl, type Way } from './pid1-ways.ts';
import { shellCommand } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see pid1.test.ts.

const table = new ProcessTable();

/** Those whose arguments, joined, hold this text: what `pgrep -f` goes by. */
function matching(text: string): number[] {
  const found = table.list(['argv']).filter(({ argv }) => argv?.join(' ').includes(text));
  return found.map(({ pid }) => pid).filter(isAlive);
}

/** Cases C1 and C2 of the hosts that were visited: a program that runs as the argument of another. */
const HOME = '/opt/pid1-report/bin';
const SERVER = `${HOME}/report_server.py`;

function installServer(t: TestContext): void {
  mkdirSync(HOME, { recursive: true });
  // In the place of an interpreter that not every machine has.
  symlinkSync('/bin/sh', `${HOME}/python3`);
  writeFileSync(SERVER, 'while :; do sleep 0.2; done\n');
  t.after(() => {
    for (const pid of matching(SERVER)) process.kill(pid, 'SIGKILL');
    rmSync('/opt/pid1-report', { recursive: true, force: true });
  });
}

test('a command that kills the old one by its arguments and starts a new one does both (C1)', async (t) => {
  const way = openWay(t);
  installServer(t);
  const line = `pkill -f bin/report_server.py; sleep 0.3; nohup ${HOME}/python3 ${SERVER} >/dev/null 2>&1 &`;
  let old = 0;
  for (const round of [1, 2]) {
    assert.deepEqual(await way.commands.run(shellCommand(line, { description: `restart_command of ${SERVER}` }), never), {
      kind: 'exited',
      exitCode: 0,
      output: '',
    });
    // The command has gone on in the background.
    const [pid = 0] = await waitFor(`server ${round}`, () => {
      const found = matching(SERVER).filter((pid) => pid !== old);
      return found.length === 1 ? found : undefined;
    });
    assert.equal(isAlive(old), false, 'the old one is dead');
    old = pid;
  }
  await waitFor('it is one, and stays one', () => matching(SERVER).join() === String(old));
});

test('a check that looks for a program by its arguments does not find itself (C2)', async (t) => {
  const way = openWay(t);
  const text = '/srv/app/never_runs.py';
  for (const line of [
    `pgrep -f ${text}`,
    `pgrep -f ${text} >/dev/null && exit 0 || exit 1`,
    `sh -c 'exit 1'; pgrep -f ${text}`,
  ]) {
    assert.deepEqual(
      await way.commands.run(shellCommand(line, { kind: 'check' }), never),
      { kind: 'exited', exitCode: 1, output: '' },
      line,
    );
  }
});

const runners: Readonly<Record<string, (way: Way) => CommandRunner>> = {
  'through systemd': ({ commands }) => commands,
  directly: ({ direct }) => direct,
};

for (const [how, runnerOf] of Object.entries(runners)) {
  const run = (way: Way, line: string, kind: (typeof kinds)[number]) => runnerOf(way).run(shellCommand(line, { kind }), never);

  for (const kind of kinds) {
    test(`${how}, ${kind}: pgrep -f finds what the command itself has started, and pkill -f kills that alone`, async (t) => {
      const way = openWay(t);
      const mark = `mark-of-${kind}-${how.replaceAll(' ', '-')}`;
      const started = `(exec -a ${mark} sleep 600) & until pgrep -f "^${mark}" >/dev/null; do sleep 0.02; done`;
      const found = await run(way, `${started}; echo $!; pgrep -f ${mark}; kill $!`, kind);
      assert(found.kind === 'exited' && found.exitCode === 0, JSON.stringify(found));
      assert.match(found.output, /^(\d+)\n\1\n$/);
      const killed = await run(way, `${started}; pkill -f ${mark}; wait $!; echo $?; pgrep -f ${mark}; echo $?`, kind);
      assert.deepEqual(killed, { kind: 'exited', exitCode: 0, output: '143\n1\n' });
      const asOther = shellCommand(`pgrep -f ${mark}; echo $?`, { kind, user: 'nobody', environment: { MARK: mark } });
      assert.deepEqual(await runnerOf(way).run(asOther, never), { kind: 'exited', exitCode: 0, output: '1\n' });
    });
  }
}

test('a start_command without exec is followed: its unit is named after the process, and a stop reaches the program', async (t) => {
  const way = openWay(t);
  const name = 'pid1-worker';
  const program = `${way.dir}/${name}`;
  chmodSync(way.dir, 0o755);
  copyFileSync('/usr/bin/sleep', program);
  const parts = { ...way, clock: systemClock, log: silentLog, ...strategyMemory() };
  const section = { restart_strategy: 'process', start_command: `${program} 600; echo over > ${way.dir}/over` };
  const strategy = parseStrategy(new FakeSection(`process.${name}`, section)).create(parts);
  t.after(() => way.programs.retire(name, 30_000, never));
  const programPid = () => waitFor('the program', () => matching(program).at(0));

  const restarted = await strategy.restart(attemptOn(managed(name)));
  assert.equal(restarted.kind, 'restarted', JSON.stringify(restarted));
  const first = await programPid();
  assert.equal(table.read(first, ['unit'])?.unit, appUnit(name));
  const found = await strategy.findRunning?.(managed(name), never);
  assert(found?.kind === 'found', JSON.stringify(found));
  assert.deepEqual(
    found.processes.map(({ pid }) => pid),
    [first],
    'the program, not its shell',
  );

  // Once more: the strategy itself ends the first, and its shell goes its way.
  const again = await strategy.restart(attemptOn(managed(name)));
  assert.equal(again.kind, 'restarted', JSON.stringify(again));
  assert.equal(isAlive(first), false);
  const second = await waitFor('another', () => matching(program).find((pid) => pid !== first));
  assert.equal(table.read(second, ['unit'])?.unit, appUnit(name));

  await way.programs.retire(name, 30_000, never);
  assert.deepEqual(matching(program), [], 'with its unit it ends');
  assert.deepEqual(ourUnits(), []);
});

test('a TERM to the unit of a start_command without exec reaches the program, not only its shell', async (t) => {
  const way = openWay(t);
  const program = `${way.dir}/catcher`;
  writeFileSync(
    program,
    `#!/bin/sh\ntrap 'echo caught >> ${way.dir}/caught; exit 0' TERM\ntouch ${way.dir}/ready\nwhile :; do sleep 0.05; done\n`,
  );
  chmodSync(program, 0o755);
  for (const stop of [
    () => way.programs.retire('pid1-catcher', 30_000, never),
    async () => systemctl('stop', appUnit('pid1-catcher')),
    async () => systemctl('kill', '--signal=TERM', appUnit('pid1-catcher')),
  ]) {
    rmSync(`${way.dir}/ready`, { force: true });
    const what = { kind: 'line', line: `${program}; exit 5`, environment: {}, user: undefined } as const;
    const launch = { systemName: 'pid1-catcher', runId: 'catcher', timeoutMs: 60_000, what };
    const launched = await way.programs.launch(launch, 200, never);
    assert(launched.kind === 'launched' && launched.pid !== undefined, JSON.stringify(launched));
    await waitFor('its trap', () => existsSync(`${way.dir}/ready`));
    const before = way.text('caught');
    await stop();
    // Twice, where its shell dies first and systemd then stops what is left.
    await waitFor('it was caught', () => way.text('caught').length > before.length);
    await waitFor('its end', () => matching(program).length === 0);
    await way.programs.retire('pid1-catcher', 30_000, never);
  }
  assert.deepEqual(ourUnits(), []);
});
