import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { knownUnits, openRuns } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. What runs with less than root has, by a file of root's in PATH.

const PROGRAM = '/usr/sbin/pathsvcd';
const JAIL = '/srv/jail';

const CAGES: Readonly<Record<string, readonly string[]>> = {
  'root in a cage': ['CapabilityBoundingSet=', 'NoNewPrivileges=yes', 'PrivateNetwork=yes'],
  'a user in a cage': ['User=nobody', 'PrivateNetwork=yes', 'NoNewPrivileges=yes'],
  'root in a jail': ['PrivateTmp=no'],
};

for (const [what, properties] of Object.entries(CAGES))
  for (const systemName of ['pathsvcd', PROGRAM])
    test(`${what}, called ${systemName}, is not started as root by its name, alive or dead`, async (t) => {
      const isJailed = what.endsWith('jail');
      const pid = await startCaged(t, properties, isJailed ? `chroot ${JAIL} ${PROGRAM} 600` : `${PROGRAM} 600`);
      const runs = openRuns(t);
      const memory = strategyMemory();
      // As after a start of the daemon.
      const strategy = () =>
        parseStrategy(new FakeSection('process.pathsvcd', { restart_strategy: 'process' })).create({
          ...runs,
          clock: systemClock,
          log: silentLog,
          ...memory,
        });
      const process_ = managed('pathsvcd', systemName);
      t.after(() => runs.programs.retire(systemName, 10_000, never));
      const refused = async (): Promise<void> => {
        const { starts, refusals } = await strategy().preview(process_, never);
        assert.deepEqual(starts, []);
        const told = [
          refusals.join(),
          await strategy().concern?.(process_),
          JSON.stringify(await strategy().restart(attemptOn(process_))),
        ];
        for (const one of told)
          assert.match(one ?? '', /not usable: it (?:is confined: |runs in a root directory of its own).*; set start_command/);
        assert.deepEqual(knownUnits('monitor_service-app*'), []);
      };
      await strategy().observe?.(process_);
      await refused();
      assert.ok(new ProcessTable().isRunning(pid), 'what cannot be started again is not stopped either');
      process.kill(pid, 'SIGKILL');
      await waitFor('its end', () => !new ProcessTable().isRunning(pid));
      await refused();
      assert.deepEqual(running(), []);
    });

function running(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/exe`).endsWith('/pathsvcd');
      } catch {
        return false;
      }
    });
}

/** As one of two children of its unit's main process: what is that itself is restarted through the unit. */
async function startCaged(t: TestContext, properties: readonly string[], command: string): Promise<number> {
  copyFileSync('/usr/bin/sleep', PROGRAM);
  // With the libraries that it needs.
  for (const folder of ['usr/sbin', 'lib', 'lib64', 'usr/lib']) mkdirSync(`${JAIL}/${folder}`, { recursive: true });
  copyFileSync(PROGRAM, `${JAIL}${PROGRAM}`);
  const libraries = execFileSync('ldd', [PROGRAM], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const library of libraries) {
    mkdirSync(`${JAIL}${library}`.replace(/\/[^/]*$/, ''), { recursive: true });
    copyFileSync(library, `${JAIL}${library}`);
  }
  const options = properties.map((property) => `--property=${property}`);
  execFileSync('systemd-run', [
    ...['--quiet', '--unit=pathcage', ...options, '/bin/bash', '-c', `sleep 900 & ${command} & wait $!`],
  ]);
  t.after(() => {
    execFileSync('sh', ['-c', 'systemctl stop pathcage 2>/dev/null; systemctl reset-failed pathcage 2>/dev/null; :']);
    rmSync(JAIL, { recursive: true, force: true });
    rmSync(PROGRAM, { force: true });
  });
  const [pid = 0] = await waitFor('it', () => (running().length > 0 ? running() : undefined));
  return pid;
}
