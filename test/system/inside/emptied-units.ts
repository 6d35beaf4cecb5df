import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pidsOfGroup } from '../../../src/system/systemd/unit-cgroup.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { detecting, property, systemctl } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. Units that stay active without processes.

const NOTHING = 'but none of its processes runs any more';

/** Where transient.test.ts has put systemd's own: the container is booted without it. */
const GENERATOR = '/usr/local/lib/systemd-sysv-generator';

/** `/etc/init.d/NAME` whose start runs `start`, and the lines of the unit that systemd makes of it. */
function sysvUnit(t: TestContext, name: string, start: string): string[] {
  const script = `/etc/init.d/${name}`;
  const lines = [
    '#!/bin/sh',
    '### BEGIN INIT INFO',
    `# Provides: ${name}`,
    '# Required-Start:',
    '# Required-Stop:',
    '# Default-Start: 2 3 4 5',
    '# Default-Stop:',
    '### END INIT INFO',
    `case $1 in start) ${start} ;; stop) pkill -x ${name}d ;; esac`,
    'exit 0',
  ];
  writeFileSync(script, `${lines.join('\n')}\n`, { mode: 0o755 });
  const dir = mkdtempSync('/run/sysv-');
  t.after(() => {
    rmSync(script, { force: true });
    rmSync(dir, { recursive: true, force: true });
  });
  execFileSync(GENERATOR, [dir, dir, dir]);
  return readFileSync(join(dir, `${name}.service`), 'utf8')
    .trimEnd()
    .split('\n');
}

/** A program of the name of the unit with a `d`; its argument: for how long it lives. */
function daemon(t: TestContext, name: string): string {
  const path = `/usr/local/bin/${name}d`;
  copyFileSync('/bin/sleep', path);
  chmodSync(path, 0o755);
  t.after(() => rmSync(path, { force: true }));
  return path;
}

/** The numbers of the processes in a unit. */
function pidsIn(unit: string): number[] {
  const group = property(unit, 'ControlGroup');
  return group === '' ? [] : pidsOfGroup(group);
}

function kill(unit: string): void {
  for (const pid of pidsIn(unit)) process.kill(pid, 'SIGKILL');
}

/** Units of the same kind: the lines that make one of a command which leaves a daemon behind. */
const KINDS: Readonly<Record<string, (t: TestContext, name: string, start: string) => string[]>> = {
  sysv: sysvUnit,
  oneshot: (_t, _name, start) => ['[Service]', 'Type=oneshot', 'RemainAfterExit=yes', `ExecStart=/bin/sh -c '${start}'`],
  forking: (_t, _name, start) => [
    '[Service]',
    'Type=forking',
    'RemainAfterExit=yes',
    'GuessMainPID=no',
    `ExecStart=/bin/sh -c '${start}'`,
  ],
};

for (const [kind, make] of Object.entries(KINDS))
  for (const strategy of ['service', 'auto']) {
    const name = `em-${kind}-${strategy[0]}`;

    test(`${kind}, ${strategy}: the end of its last process is its end, and a restart that leaves none has not succeeded`, async (t) => {
      const path = daemon(t, name);
      const [lives, once] = [`/run/${name}.lives`, `/run/${name}.once`];
      t.after(() => [lives, once].map((file) => rmSync(file, { force: true })));
      writeFileSync(lives, '600');
      const unit = make(t, name, `setsid ${path} $(cat ${lives}) >/dev/null 2>&1 & [ ! -e ${once} ] || wait`);
      const watch = detecting(t, name, { restart_strategy: strategy }, unit, 60_000);
      systemctl('start', name);
      const first = await watch.next();
      assert.deepEqual(await watch.health(), { kind: 'healthy' });
      assert.match(
        (await watch.preview()).stops.join(),
        new RegExp(`^${name}\\.service: active \\(\\w+\\), process ${first}$`),
      );
      kill(name);
      await waitFor('an alarm', () => watch.alarms.length === 1);
      assert.match(watch.alarms[0] ?? '', /^signal SIGKILL|^ended/);
      await waitFor('exited', () => property(name, 'SubState') === 'exited');
      assert.match((await watch.preview()).stops.join(), new RegExp(NOTHING));

      // It dies 0.3 s after each start.
      writeFileSync(lives, '0.3');
      const brief = await watch.restart();
      const health = brief.kind === 'restarted' ? await watch.health() : brief;
      assert.ok(health.kind === 'unhealthy' || health.kind === 'failed', JSON.stringify(health));
      assert.match(health.reason, new RegExp(NOTHING));
      // It is dead before its start is over.
      writeFileSync(lives, '0');
      writeFileSync(once, '');
      const empty = await watch.restart();
      assert.equal(empty.kind, 'failed', JSON.stringify(empty));
      assert.match(
        empty.kind === 'failed' ? empty.reason : '',
        new RegExp(`^${name}\\.service is active \\(exited\\), ${NOTHING}`),
      );

      rmSync(once);
      writeFileSync(lives, '600');
      assert.deepEqual(await watch.restart(), { kind: 'restarted', detail: `systemctl restart ${name}.service` });
      assert.deepEqual(await watch.health(), { kind: 'healthy' });
      const known = watch.alarms.length;
      systemctl('restart', name);
      await waitFor('it runs', () => pidsIn(name).length === 1);
      systemctl('stop', name);
      await waitFor('it is stopped', () => property(name, 'ActiveState') === 'inactive');
      await delay(500);
      assert.equal(watch.alarms.length, known, 'an operator’s restart and stop are none');
    });
  }

test('a unit that never has processes while it is active is well so, and the end of its start’s is nothing', async (t) => {
  const unit = ['[Service]', 'Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/bin/sleep 1', 'ExecStop=/bin/sleep 0.2'];
  for (const strategy of ['service', 'auto']) {
    const name = `em-rules-${strategy[0]}`;
    const watch = detecting(t, name, { restart_strategy: strategy }, unit, 300);
    systemctl('start', '--no-block', name);
    // Its start is seen.
    await watch.next();
    await waitFor('the end of its start', () => watch.exits.length === 1);
    assert.deepEqual(await watch.restart(), { kind: 'restarted', detail: `systemctl restart ${name}.service` });
    assert.deepEqual(await watch.health(), { kind: 'healthy' });
    systemctl('restart', name);
    assert.deepEqual([watch.exits.includes(false), watch.alarms], [false, []]);
    assert.deepEqual((await watch.preview()).stops, [`${name}.service: active (exited)`]);
  }
});

test('that a unit had processes is known after a restart of the daemon, until another file makes the unit', async (t) => {
  const name = 'em-known';
  const path = daemon(t, name);
  const lines = (command: string) => KINDS.oneshot?.(t, name, command) ?? [];
  const memory = strategyMemory();
  const earlier = detecting(t, name, { restart_strategy: 'service' }, lines(`${path} 600 &`), undefined, { memory });
  systemctl('start', name);
  const pid = await earlier.next();
  await earlier.stop();
  kill(name);
  await waitFor('it is empty', () => property(name, 'ControlGroup') === '' || pidsIn(name).length === 0);
  const former = { pid, since: new Date(), unit: `${name}.service` };
  const later = detecting(t, name, { restart_strategy: 'service' }, undefined, undefined, { memory, former });
  await waitFor('an alarm', () => later.alarms.length === 1);
  assert.match(later.alarms[0] ?? '', new RegExp(`^ended while monitor_service was not running \\(pid ${pid}, `));
  // Nobody watches it, but it has to run.
  const ensured = detecting(t, name, { restart_strategy: 'service' }, undefined, 300, { memory });
  await waitFor('an alarm', () => ensured.alarms.length === 1);
  assert.match(ensured.alarms[0] ?? '', /^not running since/);

  // The same name for something else.
  const other = detecting(t, name, { restart_strategy: 'service' }, lines('true'), undefined, { memory });
  assert.deepEqual(await other.restart(), { kind: 'restarted', detail: `systemctl restart ${name}.service` });
  assert.deepEqual(await other.health(), { kind: 'healthy' });
});
