import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import type { LaunchRecord } from '../../../src/core/program/launch-record.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { knownUnits, openRuns } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. Processes that want more from us than they have.

const NOBODY = 65534;
const OWNED = '/etc/owned';

/** The process strategy on one name, over the launcher of the system's systemd. */
function openProcess(
  t: TestContext,
  name: string,
  { systemName, user = '' }: { readonly systemName?: string; readonly user?: string } = {},
) {
  const runs = openRuns(t);
  const kept = new Map<string, LaunchRecord>();
  const memory = strategyMemory();
  const strategy = parseStrategy(
    new FakeSection(`process.${name}`, { restart_strategy: 'process', ...(user === '' ? {} : { user }) }),
  ).create({
    ...runs,
    clock: systemClock,
    log: silentLog,
    ...memory,
    launches: { ...memory.launches, get: (key) => kept.get(key), set: (key, record) => void kept.set(key, record) },
  });
  const process = managed(name, systemName);
  t.after(async () => {
    await runs.programs.retire(process.systemName, 10_000, never);
    rmSync(OWNED, { force: true });
  });
  return {
    dir: runs.dir,
    kept,
    observe: () => strategy.observe?.(process),
    preview: () => strategy.preview(process, never),
    restart: () => strategy.restart(attemptOn(process)),
  };
}

/**
 * Starts a shell line in a unit with these properties, under the name that it gives itself: as one of two children of the unit's main
 * process, for that and its only one are restarted through the unit; or, with `asMain`, as that. Its pid.
 */
async function startUnit(
  t: TestContext,
  unit: string,
  properties: readonly string[],
  line: string,
  asMain = false,
): Promise<number> {
  const options = properties.map((property) => `--property=${property}`);
  execFileSync('systemd-run', [
    '--quiet',
    `--unit=${unit}`,
    ...options,
    '/bin/bash',
    '-c',
    asMain ? line : `sleep 900 & (${line}) & wait $!`,
  ]);
  t.after(() => {
    execFileSync('sh', ['-c', `systemctl stop ${unit} 2>/dev/null; systemctl reset-failed ${unit} 2>/dev/null; :`]);
  });
  const show = (): number =>
    Number(execFileSync('systemctl', ['show', '--value', '--property=MainPID', unit], { encoding: 'utf8' }));
  const main = await waitFor('its main process', () => show() || undefined);
  const child = (): number => {
    const [, last] = readFileSync(`/proc/${main}/task/${main}/children`, 'utf8').trim().split(' ');
    return Number(last ?? 0);
  };
  const pid = asMain ? main : await waitFor('its child', child);
  // By then systemd's own child has become bash, and that the program.
  await waitFor('the program', () => !/\/(?:systemd(?:-executor)?|bash)$/.test(readlinkSync(`/proc/${pid}/exe`)));
  return pid;
}

const CAGES: Readonly<Record<string, readonly string[]>> = {
  'all at once': ['CapabilityBoundingSet=', 'NoNewPrivileges=yes', 'ProtectSystem=strict', 'PrivateNetwork=yes'],
  'a bounding set': ['CapabilityBoundingSet=~CAP_CHOWN'],
  'no new privileges': ['NoNewPrivileges=yes'],
  'a filter of system calls': ['SystemCallFilter=~@clock'],
  'a file system of its own': ['PrivateTmp=yes'],
  'a network of its own': ['PrivateNetwork=yes'],
};

for (const [what, properties] of Object.entries(CAGES))
  for (const name of ['cagedd', '/usr/sbin/cagedd'])
    test(`${what}: confined root, called ${name}, is not freed by its death`, async (t) => {
      const { kept, observe, preview, restart } = openProcess(t, 'cagedd', { systemName: name });
      const line = `exec -a ${name} dash -c 'sleep 600; echo x >${OWNED}; :'`;
      const pid = await startUnit(t, 'cage', properties, line);
      await observe();
      assert.deepEqual([...kept.keys()], [], 'what it says of itself is not kept');
      const { starts, refusals } = await preview();
      assert.deepEqual(starts, []);
      assert.match(refusals.join(), /it is confined: /);
      const refused = await restart();
      assert.ok(refused.kind === 'failed', JSON.stringify(refused));
      assert.match(refused.reason, /it is confined: .*; set start_command$/);
      assert.ok(new ProcessTable().isRunning(pid), 'what cannot be started again is not stopped either');
      execFileSync('systemctl', ['stop', 'cage']);
      const dead = await restart();
      assert.equal(dead.kind, 'failed', JSON.stringify(dead));
      assert.deepEqual(knownUnits('monitor_service-app-*'), []);
      assert.equal(existsSync(OWNED), false);
    });

test('confined root that is its unit’s main process is restarted through the unit, and stays confined', async (t) => {
  const { observe, restart } = openProcess(t, 'cagedmaind');
  const properties = [...(CAGES['all at once'] ?? []), 'Restart=no'];
  const pid = await startUnit(t, 'cagemain', properties, 'exec -a cagedmaind dash -c "sleep 600; :"', true);
  await observe();
  process.kill(pid, 'SIGSEGV');
  await waitFor('its end', () => !new ProcessTable().isRunning(pid));
  const outcome = await restart();
  assert.match(outcome.kind === 'restarted' ? outcome.detail : outcome.reason, /^systemctl start cagemain\.service/);
  const main = execFileSync('systemctl', ['show', '--value', '--property=MainPID', 'cagemain'], { encoding: 'utf8' });
  // It is in its cage once systemd's own child has become it.
  const status = await waitFor('its exec', () => {
    const text = readFileSync(`/proc/${main.trim()}/status`, 'utf8');
    return text.startsWith('Name:\t(') ? undefined : text;
  });
  assert.match(status, /^CapBnd:\s0+$/m);
  assert.match(status, /^NoNewPrivs:\s1$/m);
});

test('a user’s program is not started in a folder that the user cannot enter', async (t) => {
  const { dir, kept, observe, restart } = openProcess(t, 'wanderd', { user: 'nobody' });
  const [home, place] = [mkdtempSync(join(dir, 'home-')), join(dir, 'd')];
  chmodSync(home, 0o700);
  chmodSync(dir, 0o755);
  mkdirSync(place);
  const pid = await startUnit(t, 'wander', [`User=${NOBODY}`, `WorkingDirectory=${place}`], 'exec -a wanderd sleep 600');
  rmdirSync(place);
  symlinkSync(home, place);
  await observe();
  assert.equal(kept.get('wanderd'), undefined);
  const outcome = await restart();
  assert.ok(outcome.kind === 'failed', JSON.stringify(outcome));
  assert.match(outcome.reason, /its working directory .* is gone; set start_command$/);
  assert.ok(new ProcessTable().isRunning(pid));
});
