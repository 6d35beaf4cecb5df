import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { daemon, kill, type MakeUnit, pidsIn, testEmptied } from './emptied-kind.ts';
import { detecting, property, systemctl } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. Units that stay active without processes.

/** Units of the same kind: the lines that make one of a command which leaves a daemon behind. */
const KINDS: Readonly<Record<string, MakeUnit>> = {
  oneshot: (_t, _name, start) => ['[Service]', 'Type=oneshot', 'RemainAfterExit=yes', `ExecStart=/bin/sh -c '${start}'`],
  forking: (_t, _name, start) => [
    '[Service]',
    'Type=forking',
    'RemainAfterExit=yes',
    'GuessMainPID=no',
    `ExecStart=/bin/sh -c '${start}'`,
  ],
};

for (const [kind, make] of Object.entries(KINDS)) testEmptied(kind, make, kind === 'oneshot' ? ['service', 'auto'] : undefined);

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
