import assert from 'node:assert/strict';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProcessFindings } from '../../../src/app/process-findings.ts';
import { coreWith } from '../../helpers/core-world.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeSystemd } from '../../helpers/fake-systemd.ts';
import { noSystemd } from '../../helpers/process-strategy-world.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

test('a missing user is reported, one that could not be looked up is not', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.a]\nrestart_strategy = process\nuser = no-such-user\n');
  const parts = { settings: core.settings(), plans: core.plans(), services: noSystemd, hasRow: async () => undefined };
  const told = async (signal: AbortSignal) => (await new ProcessFindings(parts).of('a', signal)).map(({ problem }) => problem);
  assert.deepEqual(await told(never), [
    'nothing of it is restarted as long as there is no user no-such-user; its STATE shows that only once it is in alarm',
  ]);
  assert.deepEqual(await told(AbortSignal.abort()), []);
});

test('custom runs its command whoever user is: that has no effect, unless it says whose processes are watched', async (t) => {
  const custom = 'restart_strategy = custom\nrestart_command = true\n';
  const core = await coreWith(
    t,
    tempDir(t),
    `[process.a]\n${custom}user = no-such-user\n[process.b]\n${custom}user = root\n[process.c]\n${custom}user = no-such-user\nwatch_exit = true\n[process.d]\n${custom}user = root\nensure_running = true\n`,
  );
  const settings = core.settings();
  const findings = new ProcessFindings({ settings, plans: core.plans(), services: noSystemd, hasRow: async () => undefined });
  const told = async (name: string): Promise<string[]> =>
    [...settings.document.problemsOf(name), ...(await findings.of(name, never))].map(
      ({ key, problem }) => `${key}: ${problem}`,
    );
  assert.deepEqual(await told('a'), ["user: has no effect for a: restart_command is run as the daemon's own user"]);
  assert.deepEqual(await told('b'), ["user: has no effect for b: restart_command is run as the daemon's own user"]);
  assert.deepEqual(await told('c'), ['user: its end is not noticed as long as there is no user no-such-user']);
  assert.deepEqual(await told('d'), []);
});

test('what follows from a missing user: a command is run all the same, and systemd knows the user of a unit', async (t) => {
  const core = await coreWith(
    t,
    tempDir(t),
    '[process.a]\nrestart_strategy = process\nrestart_command = true\nuser = no-such-user\n[process.b]\nuser = no-such-user\n[process.c]\nuser = no-such-user\n',
  );
  const systemd = new FakeSystemd(new FakeClock());
  systemd.add('b.service', { state: 'active' });
  const settings = core.settings();
  const findings = new ProcessFindings({ settings, plans: core.plans(), services: systemd, hasRow: async () => undefined });
  const told = async (name: string): Promise<string[]> => (await findings.of(name, never)).map(({ problem }) => problem);
  assert.deepEqual(await told('a'), ['whether it runs is not known as long as there is no user no-such-user']);
  assert.deepEqual(await told('b'), []);
  assert.deepEqual(await told('c'), [
    'nothing of it is restarted as long as there is no user no-such-user; its STATE shows that only once it is in alarm',
  ]);
});

test('a full path as a name is not looked for here if the program is started under another root', async (t) => {
  const section = (name: string, start: string) =>
    `[process.${name}]\nrestart_strategy = process\nsystem_name = /no/such/${name}\nstart_command = ${start}\n`;
  const elsewhere = {
    a: 'chroot /srv/jail /no/such/a',
    b: 'sudo -R /srv/jail %s',
    c: 'nice -n 5 nsenter -t 1 -m /no/such/c &',
    d: "sh -c 'exec unshare -R /srv/jail /no/such/d'",
    e: 'systemd-nspawn -D /srv/jail /no/such/e',
  };
  const sections = Object.entries(elsewhere).map(([name, start]) => section(name, start));
  const core = await coreWith(t, tempDir(t), `${sections.join('')}${section('here', 'mkdir -p /run/x; /no/such/here')}`);
  const findings = new ProcessFindings({
    settings: core.settings(),
    plans: core.plans(),
    services: noSystemd,
    hasRow: async () => undefined,
  });
  const absent = async (name: string): Promise<string[]> =>
    (await findings.of(name, never)).map(({ problem }) => problem).filter((problem) => problem.includes('/no/such/'));
  for (const name of Object.keys(elsewhere)) assert.deepEqual(await absent(name), [], name);
  assert.deepEqual(await absent('here'), [`"/no/such/here" is not there (expected a program's full path, or its name)`]);
});

test('what root runs and another can change is reported for each command that root runs', asRoot, async (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'run');
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
  chownSync(file, 4711, 0);
  const program = `restart_strategy = process\nstart_command = ${file}\nstop_command = ${file} stop\n`;
  const custom = `restart_strategy = custom\nrestart_command = ${file}\n`;
  const core = await coreWith(
    t,
    dir,
    `[process.a]\n${program}[process.b]\nuser = nobody\n${program}[process.c]\nuser = root\n${program}[process.d]\nuser = nobody\n${custom}pre_restart_command = ${file}\nhealth_check_command = ${file}\n${unitOf('e')}${unitOf('f')}`,
  );
  const systemd = new FakeSystemd(new FakeClock());
  systemd.add('e.service', { state: 'active' });
  const settings = core.settings();
  const findings = new ProcessFindings({ settings, plans: core.plans(), services: systemd, hasRow: async () => undefined });
  const words = `"${file}" can be changed by user 4711, and runs as root`;
  const told = async (name: string): Promise<(string | undefined)[]> =>
    (await findings.of(name, never)).filter(({ problem }) => problem === words).map(({ key }) => key);
  assert.deepEqual(await told('a'), ['start_command', 'stop_command']);
  assert.deepEqual(await told('b'), ['stop_command']);
  assert.deepEqual(await told('c'), ['start_command', 'stop_command']);
  assert.deepEqual(await told('d'), ['restart_command', 'pre_restart_command', 'health_check_command']);
  assert.deepEqual(await told('e'), ['health_check_command'], 'systemd starts a unit');
  assert.deepEqual(await told('f'), ['start_command', 'health_check_command']);

  function unitOf(name: string): string {
    return `[process.${name}]\nstart_command = ${file}\nhealth_check_command = ${file} check\n`;
  }
});
