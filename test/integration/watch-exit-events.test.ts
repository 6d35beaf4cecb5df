import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EventLine } from '../../src/core/process/event-line.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { processEventsProblem } from '../helpers/process-event-recorder.ts';
import { openZoo } from '../helpers/process-zoo.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();

// The kernel's process events, in the whole daemon: one source for the watching of exits and for the stream.

test('a watched process is seen at once when it is started, and its end is streamed under its name', {
  skip: skip || skipUnless(await processEventsProblem()),
  timeout: 60_000,
}, async (t) => {
  const name = `zoo-told${process.pid}`;
  const zoo = openZoo(t);
  const program = zoo.sleeper(name);
  const world = await DaemonWorld.open(t, server(), {
    monitor: { check_interval: 300 },
    logging: { level: 'debug' },
    [`process.${name}`]: {
      restart_strategy: 'process',
      restart_command: '',
      start_command: `${program} 300`,
      watch_exit: true,
    },
  });
  const socket = join(world.dir, 'events.sock');
  world.configure({ events: { socket } });
  await world.add(name);
  const daemon = await world.start();
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
  const pid = await zoo.start(program);
  await daemon.line(new RegExp(`Watching ${name}: pid ${pid}`));
  process.kill(pid, 'SIGKILL');
  const end = await world.until('its end is told', () =>
    told.find((line) => line.event === 'exit' && 'pid' in line && line.pid === pid),
  );
  assert(end.event === 'exit');
  assert.deepEqual([end.exit_code, end.signal, end.comm, end.monitored], [9, 'SIGKILL', name.slice(0, 15), name]);
  const started = await world.until('its successor is told', () =>
    told.find((line) => line.event === 'exec' && line.cmdline.startsWith(`${program} 300`)),
  );
  assert.equal(started.event === 'exec' && started.user, 'root');
  assert.equal((await daemon.stop()).code, 0);
});
