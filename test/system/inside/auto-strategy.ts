import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { proveHealthy } from '../../../src/monitor/recovery/health-proof.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import type { RecoveryPlan } from '../../../src/strategies/recovery-plan.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { appUnit } from '../../../src/system/systemd/unit/name.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { knownUnits, openRuns } from './runs.ts';
import { property } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

/** The auto strategy on one name, with whatever unit the test gives it; both are gone after the test. */
function openAuto(t: TestContext, name: string, section: Readonly<Record<string, string>> = {}) {
  const { programs, commands, services } = openRuns(t);
  const strategy = parseStrategy(new FakeSection(`process.${name}`, section)).create({
    programs,
    commands,
    services,
    clock: systemClock,
    log: silentLog,
    ...strategyMemory(),
  });
  const path = `/run/systemd/system/${name}.service`;
  t.after(async () => {
    await programs.retire(name, 10_000, never);
    await services.call('stop', `${name}.service`, 10_000, never);
    rmSync(path, { force: true });
    execFileSync('systemctl', ['daemon-reload']);
  });
  const plan = (healthCheckTimeoutMs: number) =>
    ({ strategy, settings: { healthCheckTimeoutMs, stableTimeMs: 1000 }, checks: [] }) as unknown as RecoveryPlan;
  return {
    define: (...lines: string[]) => {
      writeFileSync(path, `${lines.join('\n')}\n`);
      execFileSync('systemctl', ['daemon-reload']);
    },
    resolve: () => strategy.resolve(managed(name), never),
    preview: () => strategy.preview(managed(name), never),
    restart: () => strategy.restart(attemptOn(managed(name))),
    health: (limitMs = 5000) => proveHealthy(plan(limitMs), managed(name), 1, systemClock, never),
  };
}

/** A start_command whose program goes by the name of the process. */
function program(name: string) {
  return { start_command: `exec -a ${name} sleep 600` };
}

/** The number that `outcome` says was started, once it is seen to live in a unit of our own. */
function startedIn(name: string, detail: string): string {
  const [, pid = ''] = /started pid (\d+)/.exec(detail) ?? [];
  assert.equal(property(appUnit(name), 'MainPID'), pid, detail);
  assert(readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${appUnit(name)}\n`));
  assert.deepEqual(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'), [name, '600', '']);
  return pid;
}

const FAILING: Readonly<Record<string, { readonly unit: readonly string[]; readonly why: RegExp }>> = {
  'fails at once': {
    unit: ['[Service]', 'ExecStart=/bin/false'],
    why: /: auto-fails\.service (?:is|did not stay active: it is) failed \(exit-code\)\)$/,
  },
  'fails in its start job': {
    unit: ['[Service]', 'Type=oneshot', 'ExecStart=/bin/false'],
    why: /: systemctl start auto-fails\.service: failed \(exit-code\): ExecStart=\/bin\/false ended with exit code 1, see journalctl -u auto-fails\.service\)$/,
  },
  'waits to be restarted by systemd': {
    unit: ['[Service]', 'ExecStart=/bin/false', 'Restart=always', 'RestartSec=600'],
    why: /: auto-fails\.service (?:is|did not stay active: it is) activating \(auto-restart\)\)$/,
  },
  'crashes again and again': {
    unit: [
      '[Unit]',
      'StartLimitIntervalSec=0',
      '[Service]',
      'ExecStart=/bin/sh -c "sleep 0.6; exit 1"',
      'Restart=always',
      'RestartSec=0',
    ],
    why: /: auto-fails\.service (?:does not last: main process \d+ was followed by \d+|.* activating \(auto-restart\))\)$/,
  },
  'cannot be loaded': {
    unit: ['[Service]', 'Type=oneshot'],
    why: /: systemd cannot load auto-fails\.service \(bad-setting\)\)$/,
  },
};

for (const [how, { unit, why }] of Object.entries(FAILING)) {
  test(`a unit that ${how} is followed by start_command, and the outcome says why`, async (t) => {
    const { define, restart, health } = openAuto(t, 'auto-fails', program('auto-fails'));
    define(...unit);
    const outcome = await restart();
    assert(outcome.kind === 'restarted', JSON.stringify(outcome));
    assert.match(outcome.detail, /^nothing was running, started pid \d+ \(as a process: /);
    assert.match(outcome.detail, why);
    assert.doesNotMatch(outcome.detail, /\n/);
    const pid = startedIn('auto-fails', outcome.detail);
    assert.deepEqual(await health(), { kind: 'healthy' });
    assert.match(
      property('auto-fails', 'ActiveState'),
      /^(?:failed|inactive)$/,
      'systemd does not bring the unit up beside it',
    );
    process.kill(Number(pid), 'SIGKILL');
    // Killed, it may still run for a moment.
    await waitFor('the unit does not stand in for the program', async () => (await health(500)).kind === 'unhealthy');
  });
}

test('once the unit works again it takes the place of the program', async (t) => {
  const { define, preview, restart, health } = openAuto(t, 'auto-mended', program('auto-mended'));
  define('[Service]', 'ExecStart=/bin/false');
  const first = await restart();
  assert(first.kind === 'restarted', JSON.stringify(first));
  const pid = startedIn('auto-mended', first.detail);
  define('[Service]', 'ExecStart=/bin/sleep 600');
  assert.deepEqual(await preview(), {
    stops: [`${appUnit('auto-mended')}: active (running), main process ${pid}`],
    starts: ['systemctl start auto-mended.service'],
    refusals: [],
  });
  const second = await restart();
  assert(
    second.kind === 'restarted' && second.detail.startsWith('systemctl start auto-mended.service'),
    JSON.stringify(second),
  );
  assert.deepEqual(await health(), { kind: 'healthy' });
  assert.deepEqual(knownUnits('monitor_service-app-*'), []);
});

test('a unit that fails, with no start_command, fails with one clear line', async (t) => {
  const { define, restart, health } = openAuto(t, 'auto-alone');
  define('[Service]', 'Type=oneshot', 'ExecStart=/bin/false');
  assert.deepEqual(await restart(), {
    kind: 'failed',
    reason:
      'systemctl start auto-alone.service: failed (exit-code): ExecStart=/bin/false ended with exit code 1, see journalctl -u auto-alone.service',
  });
  define('[Service]', 'ExecStart=/bin/false');
  assert.equal((await restart()).kind, 'restarted');
  assert.deepEqual(await health(500), { kind: 'unhealthy', reason: 'auto-alone.service is failed (exit-code) (for 0.5 s)' });
  assert.deepEqual(knownUnits('monitor_service-app-*'), []);
});

/** A copy of sleep(1) of that name, as an administrator starts it from a shell; both are gone after the test. */
function openByHand(t: TestContext, name: string) {
  const dir = mkdtempSync('/opt/by-hand-');
  chmodSync(dir, 0o755);
  const path = `${dir}/${name}`;
  copyFileSync('/usr/bin/sleep', path);
  const pids: number[] = [];
  t.after(() => {
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    path,
    /** `around`: a command in front, such as systemd-run. */
    start: async (around: string, ...args: readonly string[]) => {
      execFileSync('sh', ['-c', `setsid ${around} ${path} ${args.join(' ')} > /dev/null 2>&1 &`]);
      const isIt = (file: string): boolean => pidsOf(file).some((pid) => !pids.includes(pid));
      await waitFor('it runs', () => isIt(path));
      const pid = pidsOf(path).find((one) => !pids.includes(one)) ?? 0;
      pids.push(pid);
      return pid;
    },
  };
}

const table = new ProcessTable();

function pidsOf(executable: string): number[] {
  return table.list(['executable', 'state']).flatMap((p) => (p.executable === executable && p.state !== 'Z' ? [p.pid] : []));
}

for (const strategy of ['auto', 'service']) {
  test(`a unit that is down is not started beside its program that runs by hand: ${strategy}`, async (t) => {
    const name = `hand-${strategy}`;
    const { path, start } = openByHand(t, name);
    const { define, preview, restart, health } = openAuto(t, name, { restart_strategy: strategy });
    define('[Service]', `ExecStart=${path} 600`);
    for (const around of ['', 'systemd-run --quiet --scope']) {
      const pid = await start(around, '600');
      const outcome = await restart();
      const reason = new RegExp(
        `^${name}\\.service is inactive \\(dead\\), and its program runs outside of it \\(pid ${pid}\\): `,
      );
      assert.match(outcome.kind === 'failed' ? outcome.reason : '', reason);
      assert.match((await preview()).refusals.join(), reason);
      assert.deepEqual(pidsOf(path), [pid]);
      process.kill(pid, 'SIGKILL');
      await waitFor('end', () => !isAlive(pid));
    }
    assert.equal((await restart()).kind, 'restarted');
    assert.deepEqual(await health(), { kind: 'healthy' });
    // A unit that is up is restarted whatever runs beside it.
    await start('', '600');
    assert.equal((await restart()).kind, 'restarted');
  });
}
