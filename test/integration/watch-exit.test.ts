import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { EventLine } from '../../src/core/process/event-line.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { processEventsProblem } from '../helpers/process-event-recorder.ts';
import { openZoo } from '../helpers/process-zoo.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

// A program dies, and the whole daemon heals it. What else there is to a watched process: unit/detectors/exits/, deaths.test.ts.

const { skip, server } = shareMariadb();

/** A daemon that polls every five minutes and watches a program `name` of a zoo, which it can start again. */
async function watching(t: TestContext, name: string, withEvents: boolean) {
  const zoo = openZoo(t);
  const program = zoo.sleeper(name);
  const world = await DaemonWorld.open(t, server(), {
    monitor: { check_interval: 86_400 },
    logging: { level: 'debug' },
    [`process.${name}`]: {
      restart_strategy: 'process',
      restart_command: '',
      // How it was started is written down a moment after it is seen: too late for a test that kills it at once.
      start_command: `export ZOO=${zoo.dir}; exec ${program} 300`,
      watch_exit: true,
    },
  });
  const socket = join(world.dir, 'events.sock');
  if (withEvents) world.configure({ events: { socket } });
  const row = await world.add(name);
  const daemon = await world.start();
  await daemon.line(/Poll completed/);
  /** The pids that the daemon has watched, in order. */
  const watched = (): number[] =>
    [...daemon.stdout().matchAll(new RegExp(`Watching ${name}: pid (\\d+)`, 'g'))].map(([, pid]) => Number(pid));
  /** Starts the program by hand, and waits until the daemon watches it. */
  const begin = async (): Promise<number> => {
    const pid = await zoo.start(program);
    await world.until('it is watched', () => watched().includes(pid));
    return pid;
  };
  /** Waits until the program is watched that came after this one; its pid. */
  const successor = (before: number): Promise<number> =>
    world.until('its successor is watched', () => watched()[watched().indexOf(before) + 1]);
  /** Waits until the alarm whose notes match was raised and healed, and the program is watched again; its pid. */
  const healed = async (notes: RegExp, before: number): Promise<number> => {
    await world.until(`an alarm ${notes} is healed`, async () => {
      const { alarma, notes: said } = await world.row(row);
      return alarma === 0 && notes.test(said ?? '');
    });
    return successor(before);
  };
  return { world, daemon, program, socket, begin, successor, healed };
}

test('a process that dies is healed at once, whatever the interval, and its successor is watched; our own restart raises nothing', {
  skip,
  timeout: 300_000,
}, async (t) => {
  // Of this run alone: processes are found by their names, whoever else tests on this machine.
  const name = `killed-${process.pid}`;
  const { world, daemon, begin, successor, healed } = await watching(t, name, false);
  const first = await begin();
  process.kill(first, 'SIGKILL');
  const note = `^signal SIGKILL \\(pid ${first}, up [\\d.]+ s, \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\) - Restarted at `;
  const second = await healed(new RegExp(note), first);
  process.kill(second, 'SIGSEGV');
  const third = await healed(new RegExp(`^signal SIGSEGV(?: \\(core dumped\\))? \\(pid ${second}, `), second);
  assert.notEqual(third, second);
  const restart = await world.cli('restart', name);
  assert.equal(restart.code, 0, restart.stdout + restart.stderr);
  const fourth = await successor(third);
  assert.match(daemon.stdout(), new RegExp(`Process exited: ${name}: signal SIGTERM .*; no alarm: a recovery is under way`));
  assert.equal(daemon.stdout().match(/Found process in alarm/g)?.length, 2);
  assert.match((await world.cli('check-config')).stdout, /^watch_exit: exits by .*, new processes by a look every 2 s$/m);
  assert.equal((await daemon.stop()).code, 0);
  assert.equal(process.kill(fourth, 0), true, 'what it started outlives the daemon');
});

test('by the kernel’s word a watched process is seen at once when it is started, and its end is streamed under its name', {
  skip: skip || skipUnless(await processEventsProblem()),
  timeout: 300_000,
}, async (t) => {
  const name = `zoo-told${process.pid}`;
  const { world, daemon, program, socket, begin, successor } = await watching(t, name, true);
  const { exitWatch, events } = await world.status();
  assert.equal(exitWatch, 'exits by pidfd, new processes by the process events of the kernel');
  assert.equal(events?.state, 'open');

  const told: EventLine[] = [];
  let rest = '';
  const client = connect(socket);
  t.after(() => client.destroy());
  client.on('data', (chunk) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    told.push(...lines.map((line) => JSON.parse(line) as EventLine));
  });
  await world.until('the client is served', async () => (await world.status()).events?.clients === 1);
  const pid = await begin();
  process.kill(pid, 'SIGKILL');
  const end = await world.until('its end is told', () =>
    told.find((line) => line.event === 'exit' && 'pid' in line && line.pid === pid),
  );
  assert(end.event === 'exit');
  assert.deepEqual([end.exit_code, end.signal, end.comm, end.monitored], [9, 'SIGKILL', name.slice(0, 15), name]);
  await successor(pid);
  const started = await world.until('its successor is told', () =>
    told.find((line) => line.event === 'exec' && line.cmdline.startsWith(`${program} 300`)),
  );
  assert.equal(started.event === 'exec' && started.user, 'root');
  assert.equal((await daemon.stop()).code, 0);
});
