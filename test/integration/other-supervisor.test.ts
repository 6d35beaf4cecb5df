import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { pidsNamed } from '../helpers/pids-named.ts';
import { isAlive, openZoo } from '../helpers/process-zoo.ts';
import { missing } from '../helpers/requirement.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';
import { waitFor } from '../helpers/wait-for.ts';

// The whole daemon beside a real supervisord. Who else may start a program again, for how long each is waited for, and what follows
// then: unit/strategies/process/supervision/ and, where the supervisor is a unit, system/inside/other-supervisor.ts.

const { skip, server } = shareMariadb();

test('what supervisord starts again raises no alarm, and neither does its own restart: one copy, its own', {
  skip: skip || missing('supervisord'),
  timeout: 300_000,
}, async (t) => {
  const zoo = openZoo(t);
  // Of this run alone: processes are found by their names, whoever else tests on this machine.
  const name = `kept${process.pid % 100_000}`;
  const program = zoo.sleeper(name);
  const [config, socket] = [join(zoo.dir, 's.conf'), join(zoo.dir, 's.sock')];
  // On its own supervisord may start it again at once.
  const lines = [
    '[supervisord]',
    `logfile=${zoo.dir}/s.log`,
    `pidfile=${zoo.dir}/s.pid`,
    `childlogdir=${zoo.dir}`,
    '[unix_http_server]',
    `file=${socket}`,
    '[rpcinterface:supervisor]',
    'supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface',
    '[supervisorctl]',
    `serverurl=unix://${socket}`,
    `[program:${name}]`,
    `command=/bin/bash -c "sleep 1.5; exec ${program} 300"`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const keeper = await zoo.start('/usr/bin/env', ['supervisord', '-n', '-c', config], { cwd: zoo.dir });
  const first = await waitFor('it runs', () => pidsNamed(name)[0]);
  const world = await DaemonWorld.open(t, server(), {
    logging: { level: 'debug' },
    [`process.${name}`]: {
      restart_strategy: 'process',
      restart_command: '',
      start_command: `export ZOO=${zoo.dir}; exec ${program} 300`,
      watch_exit: true,
    },
  });
  await world.add(name);
  const daemon = await world.start();
  await daemon.line(new RegExp(`Watching ${name}: pid ${first}`));
  /** The one that runs when `old` does not any more. */
  const successor = (old: number): Promise<number> =>
    world.until('another one runs', () => pidsNamed(name).find((pid) => pid !== old && !isAlive(old)));
  const status = async () => (await world.status()).processes.find((one) => one.name === name);
  const by = `supervisord \\(pid ${keeper}\\)`;
  await world.until('status names it', async () => (await status())?.supervisor === `supervisord (pid ${keeper})`);
  assert.match((await world.cli('match', name)).stdout, new RegExp(`kept by ${by}: given 10 s to start it again`));

  process.kill(first, 'SIGKILL');
  await daemon.line(new RegExp(`${name} does not run: ${by} is given 10 s to start it again`));
  const second = await successor(first);
  await daemon.line(
    new RegExp(`Process exited: ${name}: signal SIGKILL .*pid ${first}.*; no alarm: it was started again by ${by}`),
  );
  await daemon.line(new RegExp(`Watching ${name}: pid ${second}`));

  const { stdout } = spawnSync('supervisorctl', ['-c', config, 'restart', name], { encoding: 'utf8' });
  assert.match(stdout, /: started/);
  const third = await successor(second);
  await daemon.line(new RegExp(`Process exited: .*pid ${second}.*; no alarm: it was started again by ${by}`));
  await daemon.line(new RegExp(`Watching ${name}: pid ${third}`));
  assert.deepEqual(pidsNamed(name), [third]);
  assert.doesNotMatch(daemon.stdout(), /Found process in alarm|RESTART LOG/);
  const known = await status();
  assert.deepEqual([known?.watched?.exits, known?.inAlarm, known?.breaker.failures], [0, false, 0]);
  assert.equal((await daemon.stop()).code, 0);
  assert.deepEqual(pidsNamed(name), [third]);
});
