import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DaemonWorld, type Sections } from '../helpers/daemon-world.ts';
import { openZoo } from '../helpers/process-zoo.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 120_000 };

/** A daemon that polls every five minutes and watches a program `name` of a zoo, which it can start again. */
async function watching(t: TestContext, name: string, keys: Sections[string] = {}) {
  const zoo = openZoo(t);
  const program = zoo.sleeper(name);
  const world = await DaemonWorld.open(t, server(), {
    monitor: { check_interval: 300 },
    logging: { level: 'debug' },
    [`process.${name}`]: { restart_strategy: 'process', restart_command: '', watch_exit: true, ...keys },
  });
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
  /** Waits until the alarm whose notes match was raised and healed, and the program is watched again; its pid. */
  const healed = async (notes: RegExp, before: number): Promise<number> => {
    await world.until(`an alarm ${notes} is healed`, async () => {
      const { alarma, notes: said } = await world.row(row);
      return alarma === 0 && notes.test(said ?? '');
    });
    return world.until('its successor is watched', () => watched()[watched().indexOf(before) + 1]);
  };
  return { world, zoo, daemon, row, program, begin, healed, watched };
}

test('a process that dies is healed at once, whatever the interval, and its successor is watched', options, async (t) => {
  const { daemon, begin, healed } = await watching(t, 'zoo-killed');
  const first = await begin();
  process.kill(first, 'SIGKILL');
  const note = `^signal SIGKILL \\(pid ${first}, up [\\d.]+ s, \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\) - Restarted at `;
  const second = await healed(new RegExp(note), first);
  process.kill(second, 'SIGSEGV');
  const third = await healed(new RegExp(`^signal SIGSEGV(?: \\(core dumped\\))? \\(pid ${second}, `), second);
  assert.notEqual(third, second);
  assert.equal((await daemon.stop()).code, 0);
  assert.equal(process.kill(third, 0), true, 'what it started outlives the daemon');
});
