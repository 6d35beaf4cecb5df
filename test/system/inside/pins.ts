import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import { pinnedLaunch } from '../../../src/strategies/process/launch/pinned.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { knownUnits, openRuns } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. What root runs for others, started again by PID 1 or not.

const NOBODY = 65534;
const table = new ProcessTable();

function openProcess(t: TestContext, name: string) {
  const runs = openRuns(t);
  const memory = strategyMemory();
  const { pins } = memory;
  const section = new FakeSection(`process.${name}`, { restart_strategy: 'process' });
  const parts = { ...runs, clock: systemClock, log: silentLog, ...memory };
  const strategy = parseStrategy(section).create(parts);
  const process = managed(name);
  t.after(() => runs.programs.retire(name, 10_000, never));
  chmodSync(runs.dir, 0o755);
  return {
    dir: runs.dir,
    now: async () => strategy.launchesNow?.(process, never),
    observe: () => strategy.observe?.(process),
    concern: () => strategy.concern?.(process),
    restart: () => strategy.restart(attemptOn(process)),
    pin: async (): Promise<void> => {
      const now = await strategy.launchesNow?.(process, never);
      assert.ok(now?.kind === 'known', JSON.stringify(now));
      const pinned = await Promise.all(now.records.map(pinnedLaunch));
      const all = pinned.flatMap((one) => (one.kind === 'launch' ? [one.launch] : []));
      pins.set({ systemName: name, launches: all, pinnedAt: new Date() });
    },
  };
}

/** Starts a program in a unit with these properties, as one of two children of its main process; its pid, once it bears `name`. */
async function startUnit(
  t: TestContext,
  name: string,
  properties: readonly string[],
  argv: readonly string[],
): Promise<number> {
  const options = properties.map((property) => `--property=${property}`);
  const child = ['/bin/bash', '-c', 'sleep 900 & "$@" & wait $!', 'bash', ...argv];
  execFileSync('systemd-run', ['--quiet', '--unit=foreign', ...options, ...child]);
  t.after(() => {
    execFileSync('sh', ['-c', 'systemctl stop foreign 2>/dev/null; systemctl reset-failed foreign 2>/dev/null; :']);
  });
  const main = (): number =>
    Number(execFileSync('systemctl', ['show', '--value', '--property=MainPID', 'foreign'], { encoding: 'utf8' }));
  return waitFor(
    'the program',
    () => table.list(['ppid', 'name']).find((seen) => seen.ppid === main() && seen.name === name)?.pid,
  );
}

/** A script in a folder of nobody's. */
function theirScript(dir: string, name: string): string {
  const folder = join(dir, 'theirs');
  mkdirSync(folder);
  writeFileSync(join(folder, name), '#!/bin/sh\nsleep 600\n:\n', { mode: 0o755 });
  for (const path of [folder, join(folder, name)]) chownSync(path, NOBODY, NOBODY);
  return join(folder, name);
}

/** What nobody can do to it: a script that would show whose rights it has. */
function takeOver(script: string): void {
  const line = 'printf "#!/bin/sh\\nid -u > /run/taken\\nsleep 600\\n" > "$0.new" && chmod 755 "$0.new" && mv -f "$0.new" "$0"';
  execFileSync('sh', ['-c', line, script], { uid: NOBODY, gid: NOBODY });
}

test('what a user could change is not started as root; pinned it is, until that user changes it', async (t) => {
  const { dir, observe, concern, restart, pin } = openProcess(t, 'pinnedd');
  const script = theirScript(dir, 'pinnedd');
  const pid = await startUnit(t, 'pinnedd', [], [script]);
  await observe();
  assert.match(
    (await concern()) ?? '',
    /theirs belongs to user 65534; run `monitor_service pin pinnedd` or set start_command$/,
  );
  const refused = await restart();
  assert.ok(refused.kind === 'failed' && table.isRunning(pid), JSON.stringify(refused));
  await pin();
  assert.equal(await concern(), undefined);
  const healed = await restart();
  assert.ok(healed.kind === 'restarted', JSON.stringify(healed));
  assert.match(
    knownUnits('monitor_service-app-*').join(),
    /^monitor_service-app-pinnedd\.service loaded active running [^,]*$/,
  );
  takeOver(script);
  const changed = await restart();
  assert.ok(changed.kind === 'failed', JSON.stringify(changed));
  assert.match(
    changed.reason,
    /has changed since it was pinned, and is not root's alone .*; run `monitor_service pin pinnedd` again/,
  );
  execFileSync('sh', ['-c', '! [ -e /run/taken ]']);
});

test('a process that has taken over the file of a recorded daemon of root gains nothing by killing it', async (t) => {
  const { dir, observe, restart } = openProcess(t, 'overd');
  const script = theirScript(dir, 'overd');
  const pid = await startUnit(t, 'overd', [], [script]);
  await observe();
  takeOver(script);
  process.kill(pid, 'SIGKILL');
  await waitFor('its end', () => !table.isRunning(pid));
  const refused = await restart();
  assert.ok(refused.kind === 'failed', JSON.stringify(refused));
  execFileSync('sh', ['-c', '! [ -e /run/taken ]']);
});
