import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../../../src/core/clock.ts';
import { stopTrees } from '../../../../../src/strategies/process/actions/stop-trees.ts';
import type { ProcessTree } from '../../../../../src/strategies/process/identity/identity.ts';
import { restartedByOthers, unitOf } from '../../../../../src/strategies/process/supervision/restart-by-others.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import type { KillingResult, ServiceManager } from '../../../../../src/system/systemd/service-manager.ts';
import { endAfter } from '../../../../helpers/end-after.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { noUnit } from '../../../../helpers/fake-systemd.ts';
import { noSystemd } from '../../../../helpers/process-strategy-world.ts';
import { seenNow, treeOf } from '../../../../helpers/process-trees.ts';
import { isAlive, openZoo } from '../../../../helpers/process-zoo.ts';
import { never } from '../../../../helpers/strategy-parts.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

const table = new ProcessTable();

/** The living process as a tree of its own, or another one of its number, so many clock ticks younger. */
function living(pid: number, startOffset = 0): ProcessTree {
  const seen = seenNow(table, pid);
  return treeOf({ ...seen, startTime: seen.startTime + startOffset });
}

test('a process that took over the pid is left alone, even by SIGKILL', async (t) => {
  const zoo = openZoo(t);
  const pid = await zoo.start(zoo.sleeper('reused'));
  const parts = { table, clock: systemClock, services: noSystemd, ownPid: process.pid };
  for (const offset of [-1, 1]) {
    assert.equal((await stopTrees([living(pid, offset)], 9, 0, parts, never)).kind, 'stopped');
    assert.ok(isAlive(pid));
  }
  assert.deepEqual(await stopTrees([living(pid)], 15, 10_000, parts, never), { kind: 'stopped', processes: 1, killed: 0 });
  assert.ok(!isAlive(pid));
});

test('what lives in a unit with SendSIGKILL=no is not sent SIGKILL', async (t) => {
  const root = tempDir(t);
  writeFileSync(join(root, 'uptime'), '10.00 10.00');
  const script = openZoo(t).script(
    'slowdb',
    '#!/usr/bin/perl\n$| = 1; $SIG{TERM} = "IGNORE"; print "ready"; sleep 600 while 1;\n',
  );
  const child = spawn(script, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = endAfter(t, child);
  await once(child.stdout, 'data');
  const folder = join(root, `${child.pid}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'stat'), readFileSync(`/proc/${child.pid}/stat`));
  writeFileSync(join(folder, 'cgroup'), '0::/system.slice/slowdb.service\n');
  writeFileSync(join(root, 'uptime'), readFileSync('/proc/uptime'));
  child.once('exit', () => rmSync(folder, { recursive: true }));
  const frozen = new ProcessTable(root);
  const asked: string[] = [];
  const answers: KillingResult[] = [
    { kind: 'known', killMode: 'control-group', forbidsSigkill: true },
    { kind: 'known', killMode: 'control-group', forbidsSigkill: true },
    { kind: 'failed', reason: 'no answer' },
    { kind: 'known', killMode: 'control-group' },
  ];
  const killMode = async (unit: string): Promise<KillingResult> => {
    asked.push(unit);
    return answers.shift() ?? { kind: 'failed', reason: 'asked too often' };
  };
  const parts = { table: frozen, clock: systemClock, services: { available: true, killMode }, ownPid: 5_000_002 };
  const stop = (signal = 15) => stopTrees([treeOf(seenNow(frozen, child.pid ?? 0))], signal, 50, parts, never);
  for (const signal of [15, 9])
    assert.deepEqual(await stop(signal), {
      kind: 'failed',
      reason: `process ${child.pid} ${signal === 9 ? 'is not stopped' : 'does not end'}: SendSIGKILL=no of slowdb.service forbids SIGKILL`,
    });
  assert.deepEqual(await stop(), {
    kind: 'failed',
    reason: `process ${child.pid} does not end: systemd does not say whether slowdb.service forbids SIGKILL: no answer`,
  });
  assert.deepEqual([child.exitCode, child.signalCode], [null, null]);
  assert.deepEqual(await stop(), { kind: 'stopped', processes: 1, killed: 1 });
  assert.equal((await ended)[1], 'SIGKILL');
  assert.deepEqual(new Set(asked), new Set(['slowdb.service']));
  assert.deepEqual(answers, []);
});

test('children that appear are taken in; this process and those above it never', async (t) => {
  const root = tempDir(t);
  // Numbers beyond what the kernel gives: nothing real can be hit.
  const add = (pid: number, ppid: number, startTime: number, pgid = pid): void => {
    mkdirSync(join(root, `${pid}`));
    writeFileSync(join(root, `${pid}/stat`), `${pid} (p) S ${ppid} ${pgid} 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${startTime} 0`);
  };
  writeFileSync(join(root, 'uptime'), '10.00 10.00');
  add(5_000_001, 1, 100);
  add(5_000_002, 5_000_001, 200);
  add(5_000_003, 5_000_001, 300);
  add(5_000_004, 5_000_003, 300);
  add(5_000_005, 1, 1000, 5_000_001);
  add(5_000_006, 1, 900, 5_000_001);
  add(5_000_007, 5_000_001, 50);
  // The number of a member that has ended, given to another process meanwhile, which has a child.
  add(5_000_008, 1, 1000);
  add(5_000_009, 5_000_008, 1000, 5_000_008);
  const frozen = new ProcessTable(root);
  const clock = new FakeClock();
  let reason = '';
  const gone = { ...seenNow(frozen, 5_000_008), startTime: 400 };
  const tree = treeOf(seenNow(frozen, 5_000_001), [gone]);
  void stopTrees([tree], 15, 0, { table: frozen, clock, services: noSystemd, ownPid: 5_000_002 }, never).then((ended) => {
    reason = JSON.stringify(ended);
  });
  await clock.until(() => reason !== '');
  assert.deepEqual(reason.match(/500000\d/g)?.sort(), ['5000001', '5000003', '5000004', '5000005'], reason);
});

test('what SIGKILL does not end is a failure that says in which state it hangs', async (t) => {
  const root = tempDir(t);
  mkdirSync(join(root, '5000000'));
  writeFileSync(join(root, '5000000/stat'), '5000000 (nfs\u001b[2J) D 1 5000000 5000000 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 55 0');
  writeFileSync(join(root, 'uptime'), '10.00 10.00');
  // A table that shows a process which is not there to be signalled: as unmoved by signals as one in the kernel.
  const frozen = new ProcessTable(root);
  const clock = new FakeClock();
  let result: unknown;
  const tree = treeOf(seenNow(frozen, 5_000_000));
  const stopping = stopTrees(
    [tree],
    15,
    10_000,
    { table: frozen, clock, services: noSystemd, ownPid: process.pid },
    never,
  ).then((ended) => {
    result = ended;
  });
  await clock.until(() => result !== undefined);
  await stopping;
  assert.deepEqual(result, {
    kind: 'failed',
    reason: 'process 5000000 (nfs?[2J, uninterruptible sleep in the kernel, state D) still there 5 s after SIGKILL',
  });
});

test('the unit that may start its program again is one of systemd’s that is not ours', (t) => {
  const root = tempDir(t);
  const units: [string, string | undefined][] = [
    ['/system.slice/nginx.service', 'nginx.service'],
    ['/system.slice/system-app.slice/app@1.service/payload', 'app@1.service'],
    ['/user.slice/user-1000.slice/user@1000.service/app.slice/x.service', undefined],
    ['/user.slice/user-0.slice/session-1.scope', undefined],
    ['/system.slice/monitor_service-app-x.service', undefined],
    ['/', undefined],
  ];
  for (const [path, unit] of units) {
    mkdirSync(join(root, '50'), { recursive: true });
    writeFileSync(join(root, '50/stat'), '50 (x) S 1 50 50 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 55 0');
    writeFileSync(join(root, '50/cgroup'), `0::${path}\n`);
    const made = new ProcessTable(root);
    assert.equal(unitOf(made, treeOf(seenNow(made, 50))), unit, path);
  }
});

test('a unit that systemd is restarting is waited for, another is not', async () => {
  const wait = async (activeState: string, backAfterMs: number): Promise<[boolean, number]> => {
    const clock = new FakeClock();
    const begun = clock.monotonicMs();
    const services: ServiceManager = {
      available: true,
      show: async (id) => ({ kind: 'status', status: { ...noUnit, id, activeState } }),
      end: async () => ({ kind: 'failed', reason: 'nobody asks' }),
      signalledEnd: () => undefined,
      relations: async () => ({ kind: 'failed', reason: 'nobody asks' }),
      program: async () => ({ kind: 'failed', reason: 'nobody asks' }),
      killMode: async () => ({ kind: 'failed', reason: 'nobody asks' }),
      remainsAfterExit: async () => ({ kind: 'failed', reason: 'nobody asks' }),
      call: async () => ({ kind: 'done' }),
      kill: async () => ({ kind: 'done' }),
      restartDue: async () => ({ kind: 'failed', reason: 'nobody asks' }),
      conditions: async () => undefined,
      explain: async () => ({ reason: undefined, output: [] }),
      watch: () => () => {},
      contact: () => undefined,
    };
    let back: boolean | undefined;
    const runs = (): boolean => clock.monotonicMs() - begun >= backAfterMs;
    void restartedByOthers(['x.service'], () => 0, runs, { services, clock }, never).then((value) => {
      back = value;
    });
    await clock.until(() => back !== undefined);
    return [back ?? false, clock.monotonicMs() - begun];
  };
  assert.deepEqual(await wait('activating', 10_000), [true, 10_000]);
  assert.equal((await wait('activating', 99_000))[0], false);
  assert.deepEqual(await wait('failed', 10_000), [false, 1500]);
  assert.deepEqual(await wait('active', 200), [true, 250]);
  const none = { services: {} as ServiceManager, clock: new FakeClock() };
  assert.equal(
    await restartedByOthers(
      [],
      () => 0,
      () => false,
      none,
      never,
    ),
    false,
  );
});
