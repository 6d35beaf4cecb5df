import assert from 'node:assert/strict';
import { existsSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type LinkKind,
  type OpenedLink,
  type Pid1Addresses,
  Pid1Link,
  pid1Addresses,
} from '../../../src/system/systemd/link.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { defineUnits, kinds, openWay, ourUnits, systemctl, WAYS, type Way } from './pid1-ways.ts';
import { shellCommand } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see pid1.test.ts.

const UNIT = 'pid1-bus.service';

/** All that is asked of systemd and ordered from it goes on, by this way. */
async function everything(t: TestContext, way: Way, by: LinkKind): Promise<void> {
  defineUnits(t, { [UNIT]: ['ExecStart=/bin/sleep 600'] });
  const { run, services, programs, dir, direct } = way;

  const runs = kinds.map(async (kind) => {
    const ended = await run('echo out; echo err >&2; cat; exit 7', { kind });
    assert.deepEqual(ended, { kind: 'exited', exitCode: 7, output: 'out\nerr\n' }, kind);
    const long = await run('head -c 3000000 /dev/zero | tr "\\0" x; echo end', { kind });
    assert(long.kind === 'exited' && long.exitCode === 0, `${kind}: ${long.kind}`);
    assert.match(long.output, /^x{60000,}end\n$/);
    assert.deepEqual(await run('kill -SEGV $$', { kind }), { kind: 'signaled', signal: 'SIGSEGV', output: '' });
    const longLine = `x=${'y'.repeat(300_000)}; echo \${#x} "$VALUE"`;
    const environment = { VALUE: `$(id) "'\n%n ${'z'.repeat(1000)}` };
    assert.deepEqual(await run(longLine, { kind, environment }), {
      kind: 'exited',
      exitCode: 0,
      output: `300000 ${environment.VALUE}\n`,
    });
    const command = shellCommand('id; env | sort', { kind, runId: `pid1-bus-${kind}`, user: 'nobody' });
    assert.deepEqual(await way.commands.run(command, never), await direct.run(command, never));
    const timedOut = await run(`setsid sleep 600 & echo $! > ${kind}; echo begun; wait`, { kind, timeoutMs: 1000 });
    assert.deepEqual(timedOut, { kind: 'timed_out', afterMs: 1000, output: 'begun\n' });
    assert.equal(isAlive(await way.pid(kind)), false, `${kind}: at its limit all of it dies`);
  });
  await Promise.all(runs);
  assert.equal(services.contact()?.connection, by);

  assert.deepEqual(await services.call('start', UNIT, 30_000, never), { kind: 'done' });
  const first = await services.show(UNIT, never);
  assert(first.kind === 'status' && first.status.activeState === 'active', JSON.stringify(first));
  assert.deepEqual(await services.call('restart', UNIT, 30_000, never), { kind: 'done' });
  const second = await services.show(UNIT, never);
  assert(second.kind === 'status' && second.status.mainPid !== first.status.mainPid, JSON.stringify(second));
  assert.deepEqual(await services.call('stop', UNIT, 30_000, never), { kind: 'done' });
  const unknown = await services.call('restart', 'pid1-no-such.service', 30_000, never);
  assert.deepEqual(unknown, { kind: 'failed', reason: 'Unit pid1-no-such.service not found.' });

  const what = (line: string) => ({ kind: 'line', line, environment: {}, user: undefined }) as const;
  const launch = (line: string) =>
    programs.launch({ systemName: 'pid1-bus', runId: 'pid1-bus', timeoutMs: 30_000, what: what(line) }, 300, never);
  t.after(() => programs.retire('pid1-bus', 30_000, never));
  const launched = await launch(`cat; echo $$ > ${join(dir, 'launched')}; exec sleep 600`);
  const pid = await way.pid('launched');
  assert.deepEqual(launched, { kind: 'launched', pid });
  const failed = await launch('echo no port >&2; exit 4');
  assert.deepEqual(failed, { kind: 'failed', reason: 'exit code 4: no port', output: ['no port'] });
  assert.equal(isAlive(pid), false, 'the one before is ended first');

  assert.equal(await way.commands.waitForRun('pid1-bus-never-ran', 5000, never), 'not_found');
  assert.equal(services.contact()?.connection, by);
  await waitFor('no unit is left', () => ourUnits().length === 0);
}

test('while the message bus is stopped, commands, launches, restarts and questions use the private socket', async (t) => {
  t.after(() => systemctl('start', 'dbus.socket'));
  systemctl('stop', 'dbus.socket', 'dbus.service');
  const bus = (): Promise<OpenedLink> => Pid1Link.open('bus', pid1Addresses.bus, { timeoutMs: 1000 });
  assert.equal((await bus()).kind, 'failed');
  await everything(t, openWay(t), 'private');
  assert.equal((await bus()).kind, 'failed', 'nobody has started it meanwhile');
});

test('if the private socket has another name, everything goes over the system bus, descriptors too', async (t) => {
  await everything(t, openWay(t, WAYS.bus), 'bus');
});

test('if nobody listens on the private socket, everything goes over the system bus', async (t) => {
  const path = '/run/pid1-bus-deserted';
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  // A name that outlives its listener, as that of one that was killed.
  renameSync(path, `${path}.kept`);
  await new Promise((resolve) => server.close(resolve));
  const way = openWay(t, { ...pid1Addresses, private: `${path}.kept` });
  const asked = await way.services.show('basic.target', never);
  assert(asked.kind === 'status' && asked.status.activeState === 'active', JSON.stringify(asked));
  assert.deepEqual(await way.run('echo here'), { kind: 'exited', exitCode: 0, output: 'here\n' });
  assert.equal(way.services.contact()?.connection, 'bus');
});

test('when the private socket is away for a while, the bus is taken, and afterwards the socket again', async (t) => {
  const away = `${pid1Addresses.private}.away`;
  const way = openWay(t);
  const back = (): void => {
    if (existsSync(away)) renameSync(away, pid1Addresses.private);
  };
  t.after(back);
  const ways: unknown[] = [];
  for (const move of [() => {}, () => renameSync(pid1Addresses.private, away), back]) {
    move();
    way.pid1.close();
    assert.deepEqual(await way.run('echo here', { kind: 'check' }), { kind: 'exited', exitCode: 0, output: 'here\n' });
    ways.push(way.services.contact()?.connection);
  }
  assert.deepEqual(ways, ['private', 'bus', 'private']);
});

test('if neither is there, what cannot be done is reported and does not happen', async (t) => {
  const nowhere: Pid1Addresses = { private: '/no/such/private', bus: '/no/such/bus' };
  const way = openWay(t, nowhere);
  const reason = /^cannot connect to systemd: .*\/no\/such\/private.*\/no\/such\/bus/;
  const limit = 400;
  const asking = way.services.show('basic.target', never);
  for (const kind of kinds) {
    const result = await way.run('touch ran', { kind, timeoutMs: limit });
    assert(result.kind === 'not_started' && reason.test(result.reason), JSON.stringify(result));
  }
  const restarted = await way.services.call('restart', 'basic.target', limit, never);
  assert(restarted.kind === 'failed' && reason.test(restarted.reason), JSON.stringify(restarted));
  const what = { kind: 'line', line: `touch ${way.dir}/ran`, environment: {}, user: undefined } as const;
  const launched = await way.programs.launch({ systemName: 'x', runId: 'x', timeoutMs: limit, what }, 100, never);
  assert(launched.kind === 'failed' && reason.test(launched.reason), JSON.stringify(launched));
  const asked = await asking;
  assert(asked.kind === 'failed' && reason.test(asked.reason), JSON.stringify(asked));
  assert.equal(existsSync(join(way.dir, 'ran')), false);
  assert.deepEqual(ourUnits(), []);
});
