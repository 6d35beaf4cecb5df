import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { EventLine } from '../../src/core/process/event-line.ts';
import { start } from '../helpers/cli-process.ts';
import { bundle } from '../helpers/daemon.ts';
import { HostDaemon } from '../helpers/host-daemon.ts';
import { hostSystemdProblem } from '../helpers/host-systemd.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

// A real systemd and the kernel's process events together: the daemon as a unit, in its sandbox, watching units.

const database = shareMariadb();
const skip = database.skip || skipUnless(await hostSystemdProblem());

/** Of this run alone: processes are found by their names, whoever else tests on this machine. */
const own = (kind: string): string => `${kind}-${process.pid}`;
const [SIMPLE, NOTIFY] = [own('simple'), own('notify')];
// Each its own line: the control groups of this systemd tell nobody which unit a process is of.
const UNITS: Readonly<Record<string, readonly string[]>> = {
  [SIMPLE]: ['ExecStart=/bin/sleep 601'],
  [NOTIFY]: ['Type=notify', 'NotifyAccess=all', 'ExecStart=/bin/sh -c "systemd-notify --ready; exec sleep 600"'],
};

const TOLD = 'exits by pidfd, new processes by the process events of the kernel';

describe('units under a daemon that gets process events from the kernel', { skip, timeout: 300_000 }, () => {
  const ends: (() => Promise<void>)[] = [];
  const ids = new Map<string, number>();
  let daemon: HostDaemon;

  before(async () => {
    const keys = { restart_strategy: 'service', restart_command: '', watch_exit: true };
    const scope = { after: (end: () => Promise<void>) => void ends.unshift(end) };
    daemon = await HostDaemon.start(scope, database.server(), {
      monitor: { check_interval: 86_400 },
      logging: { level: 'debug' },
      ...Object.fromEntries(Object.keys(UNITS).map((name) => [`process.${name}`, keys])),
    });
    for (const [name, settings] of Object.entries(UNITS)) {
      daemon.addUnit(name, settings);
      ids.set(name, await daemon.world.add(name));
    }
  });
  // Whatever fails, all of them run.
  after(() => ends.reduce((done, end) => done.finally(end), Promise.resolve()));

  const row = (name: string) => daemon.world.row(ids.get(name) ?? 0);
  const processOf = async (name: string) => (await daemon.world.status()).processes.find((process) => process.name === name);
  const mainPid = async (name: string): Promise<number> => Number(await daemon.property('MainPID', name));

  /** Waits until the daemon watches another main process of the unit than `before`; its pid. */
  const watched = (name: string, before = 0): Promise<number> =>
    daemon.until(`another process of ${name} is watched`, async () => {
      const [pid, process] = await Promise.all([mainPid(name), processOf(name)]);
      return pid === before || process?.watched?.pid !== pid ? 0 : pid;
    });

  /** Starts the unit, and waits until the daemon watches it, by the kernel's word: it looks for itself only every 10 s. */
  const begin = async (name: string): Promise<number> => {
    await daemon.systemctl('start', name);
    const start = performance.now();
    const pid = await watched(name);
    assert(performance.now() - start < 5000, 'the daemon was told of it');
    return pid;
  };

  /** Kills the unit's main process, and waits until the alarm that this raises has been healed; the pid of its successor. */
  const killAndHeal = async (t: TestContext, name: string, pid: number): Promise<number> => {
    const start = performance.now();
    process.kill(pid, 'SIGKILL');
    const notes = new RegExp(`^signal SIGKILL \\(pid ${pid}, up .*\\) - Restarted at [-\\d]+ [:\\d]+$`);
    await daemon.until(`the alarm of ${name} is healed`, async () => {
      const { alarma, notes: said } = await row(name);
      return alarma === 0 && notes.test(said ?? '');
    });
    const tookMs = performance.now() - start;
    t.diagnostic(`${name}: from SIGKILL to the cleared alarm ${Math.round(tookMs)} ms`);
    assert(tookMs < 30_000, 'no poll has come');
    const successor = await watched(name, pid);
    assert.equal(await daemon.property('ActiveState', name), 'active');
    const { breaker, watched: life } = await daemon.until('status tells of the recovery', async () => {
      const process = await processOf(name);
      return process?.lastRecovery?.outcome === 'recovered' ? process : undefined;
    });
    assert.equal(breaker.state, 'closed');
    assert.deepEqual([life?.exits, life?.lastExit?.cause, life?.lastExit?.expected], [1, 'signal SIGKILL', false]);
    return successor;
  };

  test('the whole unit with the documented drop-in is in force, and status says that the kernel reports processes', async () => {
    await daemon.until('the kernel tells of processes', async () => (await daemon.world.status()).exitWatch === TOLD);
    const { code, stdout, stderr } = await daemon.world.cli('status', '--json');
    assert.equal(code, 0, stderr);
    const { exitWatch, events, pid } = JSON.parse(stdout);
    assert.deepEqual([exitWatch, events.state], [TOLD, 'open']);
    assert.deepEqual([await daemon.property('Type'), String(pid)], ['notify', await daemon.property('MainPID')]);
    assert.match(daemon.log(), / started \(pid \d+\): .*commands run through systemd, mode act/);
    assert.equal(readlinkSync(`/proc/${pid}/ns/pid`), readlinkSync('/proc/self/ns/pid'));
    const kernel = readFileSync(`/proc/${pid}/status`, 'utf8');
    // CHOWN, DAC_READ_SEARCH, KILL, NET_ADMIN and SYS_PTRACE.
    for (const line of [/^CapEff:\t0*81025$/m, /^CapBnd:\t0*81025$/m, /^NoNewPrivs:\t1$/m, /^Seccomp:\t2$/m])
      assert.match(kernel, line);
  });

  test('a unit whose main process is killed is healed at once, whatever its type, and its end is streamed', async (t) => {
    const { output } = start(t, [process.execPath, bundle, 'events', '--json', '-e', 'exit', '-s', daemon.eventSocket]);
    await daemon.until('the client is served', async () => (await daemon.world.status()).events?.clients === 1);
    for (const name of [SIMPLE, NOTIFY]) {
      const pid = await begin(name);
      await killAndHeal(t, name, pid);
      const end = await daemon.until('its end is streamed', () => {
        const lines = output().stdout.split('\n').slice(0, -1);
        return lines.map((line) => JSON.parse(line) as EventLine).find((line) => 'pid' in line && line.pid === pid);
      });
      assert(end.event === 'exit');
      assert.deepEqual([end.exit_code, end.signal, end.monitored], [9, 'SIGKILL', name]);
    }
  });
});
