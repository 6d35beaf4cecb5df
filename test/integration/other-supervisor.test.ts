import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DaemonWorld, type Sections } from '../helpers/daemon-world.ts';
import { pidsNamed } from '../helpers/pids-named.ts';
import { isAlive, openZoo } from '../helpers/process-zoo.ts';
import { missing } from '../helpers/requirement.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';
import { waitFor } from '../helpers/wait-for.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 120_000 };
const withSupervisord = { skip: skip || missing('supervisord'), timeout: 120_000 };
let count = 0;

/** A program that another supervisor keeps, a daemon that knows it, and a row for it. */
async function beside(t: TestContext, start: (world: Kept) => Promise<number>, keys: Sections[string] = {}) {
  const zoo = openZoo(t);
  // Of this run alone: processes are found by their names, whoever else tests on this machine.
  const name = `kept${process.pid % 100_000}n${count++}`;
  const kept = { zoo, name, program: zoo.sleeper(name) };
  const keeper = await start(kept);
  const first = await waitFor('it runs', () => pidsNamed(name)[0]);
  const world = await DaemonWorld.open(t, server(), {
    logging: { level: 'debug' },
    [`process.${name}`]: {
      restart_strategy: 'process',
      restart_command: '',
      start_command: `export ZOO=${zoo.dir}; exec ${kept.program} 300`,
      watch_exit: true,
      ...keys,
    },
  });
  const row = await world.add(name);
  const daemon = await world.start();
  await daemon.line(keys?.watch_exit === false ? /Poll completed/ : new RegExp(`Watching ${name}: pid ${first}`));
  /** The one that runs when `old` does not any more. */
  const successor = (old: number): Promise<number> =>
    world.until('another one runs', () => pidsNamed(name).find((pid) => pid !== old && !isAlive(old)));
  const process_ = async () => (await world.status()).processes.find((one) => one.name === name);
  return { ...kept, keeper, first, world, row, daemon, successor, status: process_ };
}

interface Kept {
  readonly zoo: ReturnType<typeof openZoo>;
  readonly name: string;
  readonly program: string;
}

/**
 * A real supervisord with the program, in the zoo's folder, which starts it after `pauseSeconds`: on its own it may do so at
 * once; its pid.
 */
async function supervisord({ zoo, name, program }: Kept, pauseSeconds: number, keys = ''): Promise<number> {
  const [config, socket] = [join(zoo.dir, 's.conf'), join(zoo.dir, 's.sock')];
  writeFileSync(
    config,
    `[supervisord]
logfile=${zoo.dir}/s.log
pidfile=${zoo.dir}/s.pid
childlogdir=${zoo.dir}
[unix_http_server]
file=${socket}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${socket}
[program:${name}]
command=${pauseSeconds > 0 ? `/bin/bash -c "sleep ${pauseSeconds}; exec ${program} 300"` : `${program} 300`}
${keys}
`,
  );
  const pid = await zoo.start('/usr/bin/env', ['supervisord', '-n', '-c', config], { cwd: zoo.dir });
  return pid;
}

function supervisorctl({ zoo }: Kept, ...words: string[]): string {
  const { stdout, stderr } = spawnSync('supervisorctl', ['-c', join(zoo.dir, 's.conf'), ...words], { encoding: 'utf8' });
  return stdout + stderr;
}

/** `while :; do PROGRAM; sleep PAUSE; done`; the shell's pid. */
function loop({ zoo, program }: Kept, pauseSeconds: number): Promise<number> {
  return zoo.start('/bin/bash', ['-c', `while :; do ${program} 300; sleep ${pauseSeconds}; done`]);
}

test(
  'what supervisord starts again raises no alarm, and neither does its own restart: one copy, its own',
  withSupervisord,
  async (t) => {
    const kept = await beside(t, (kept) => supervisord(kept, 1.5));
    const { name, keeper, first, world, daemon, successor, status } = kept;
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

    assert.match(supervisorctl(kept, 'restart', name), /: started/);
    const third = await successor(second);
    await daemon.line(new RegExp(`Process exited: .*pid ${second}.*; no alarm: it was started again by ${by}`));
    await daemon.line(new RegExp(`Watching ${name}: pid ${third}`));
    assert.deepEqual(pidsNamed(name), [third]);
    assert.doesNotMatch(daemon.stdout(), /Found process in alarm|RESTART LOG/);
    const { processes } = await world.status();
    const known = processes.find((process) => process.name === name);
    assert.deepEqual([known?.watched?.exits, known?.inAlarm, known?.breaker.failures], [0, false, 0]);
    assert.equal((await daemon.stop()).code, 0);
    assert.deepEqual(pidsNamed(name), [third]);
  },
);

test('what supervisord gives up is started by us, once its time is over', withSupervisord, async (t) => {
  const { zoo, name, program, keeper, first, world, row, daemon, successor } = await beside(
    t,
    (kept) => supervisord(kept, 0, 'startretries=1'),
    { supervisor_wait: 4 },
  );
  // The same program at another place, which supervisord does not know.
  mkdirSync(join(zoo.dir, 'ours'));
  copyFileSync(program, join(zoo.dir, 'ours', name));
  world.configure({ [`process.${name}`]: { start_command: `export ZOO=${zoo.dir}; exec ${zoo.dir}/ours/${name} 300` } });
  daemon.child.kill('SIGHUP');
  await daemon.line(/Configuration reloaded: .*start_command/);
  chmodSync(program, 0o644);
  const begun = performance.now();
  process.kill(first, 'SIGKILL');
  const second = await successor(first);
  assert.ok(performance.now() - begun >= 3900, 'it had its time');
  assert.match(daemon.stdout(), new RegExp(`${name} does not run: supervisord \\(pid ${keeper}\\) is given 4 s`));
  assert.match(supervisorctl({ zoo, name, program }, 'status'), /FATAL/);
  await world.until('it is healed', async () => / - Restarted at /.test((await world.row(row)).notes ?? ''));
  assert.deepEqual(pidsNamed(name), [second]);
  assert.equal((await daemon.stop()).code, 0);
});

for (const watched of [true, false])
  test(
    `an alarm while a shell loop rests starts no second copy${watched ? ', and the end itself does not either' : ''}`,
    options,
    async (t) => {
      const { name, keeper, first, world, row, daemon, successor, status } = await beside(t, (kept) => loop(kept, 4), {
        watch_exit: watched,
      });
      // What is not watched is looked at now and then: once it has been, its parent is known.
      await world.until('its parent is known', async () => (await status())?.supervisor === `bash (pid ${keeper})`);
      process.kill(first, 'SIGKILL');
      await world.until('it is dead', () => !isAlive(first));
      await world.raise(row, 'by hand');
      await daemon.line(/Found process in alarm/);
      await world.until(
        'status tells what is waited for',
        async () => (await status())?.reason === `waits for bash (pid ${keeper})`,
      );
      const second = await successor(first);
      await daemon.line(
        new RegExp(
          `Restart command executed for ${name}: nothing was running, its supervisor bash \\(pid ${keeper}\\) started pid ${second}`,
        ),
      );
      await world.allClear();
      assert.deepEqual(pidsNamed(name), [second]);
      assert.equal((await daemon.stop()).code, 0);
      assert.deepEqual(pidsNamed(name), [second]);
    },
  );

test(
  'a death before the start of the daemon is left to the loop, too; if the loop is killed, nothing waits for it',
  options,
  async (t) => {
    const { name, keeper, first, world, row, daemon, successor } = await beside(t, (kept) => loop(kept, 6), {
      supervisor_wait: 300,
    });
    const by = `bash \\(pid ${keeper}\\)`;
    assert.equal((await daemon.stop()).code, 0);
    process.kill(first, 'SIGKILL');
    const next = await world.start();
    await next.line(new RegExp(`${name} does not run: ${by} is given 5 min to start it again`));
    const second = await successor(first);
    await next.line(new RegExp(`Process exited: ${name}: ended while .*; no alarm: it was started again by ${by}`));
    await next.line(new RegExp(`Watching ${name}: pid ${second}`));
    assert.doesNotMatch(next.stdout(), /Found process in alarm/);

    process.kill(second, 'SIGKILL');
    await world.until('it is waited for again', () => next.stdout().match(/ does not run: /g)?.length === 2);
    process.kill(keeper, 'SIGKILL');
    const third = await successor(second);
    await world.until('it is healed', async () => / - Restarted at /.test((await world.row(row)).notes ?? ''));
    assert.deepEqual(pidsNamed(name), [third]);
    assert.equal((await next.stop()).code, 0);
  },
);
