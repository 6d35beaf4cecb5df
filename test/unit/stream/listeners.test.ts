import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { userWords } from '../../../src/system/accounts/names.ts';
import { clientsOf, exitOf, NO_PID, RawClient, type StreamWorld, startStream } from '../../helpers/event-world.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { freePort } from '../../helpers/free-port.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const RETRY_MS = 30_000;
const LOOK_MS = 10_000;

const tcp = (host: string, port: number) => ({ host, port, auth: 'x', tls: undefined });
const socketAt = (path: string) => ({ path, mode: 0o660, group: undefined });

/** Somebody else who listens there, until the end of the test. */
async function other(t: TestContext, where: { path: string } | { port: number; host: string }): Promise<Server> {
  const server = createServer().listen(where);
  t.after(() => void (server.listening && server.close()));
  await once(server, 'listening');
  return server;
}

async function end(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** This process, as one that is in the way. */
function ourWords(): string {
  return `"${readFileSync('/proc/self/comm', 'utf8').trim()}" (pid ${process.pid}) of ${userWords(process.geteuid?.() ?? 0)}`;
}

/** Its places in words: `unix open`, `tcp another program …`. */
function places({ server }: StreamWorld): string[] {
  return server.listeners().map(({ kind, state, reason }) => `${kind} ${reason ?? state}`);
}

async function becomes(world: StreamWorld, kind: 'unix' | 'tcp', state: 'open' | 'unavailable'): Promise<void> {
  await waitFor(`${kind} ${state}`, () => world.server.listeners().some((one) => one.kind === kind && one.state === state));
}

async function logs(world: StreamWorld, level: 'info' | 'warning' | 'error', pattern: RegExp): Promise<void> {
  await waitFor(`${pattern}`, () => world.log.of(level).some((line) => pattern.test(line)));
}

describe('a TCP port of the stream that is not available', () => {
  it('leaves the socket on, and is tried again each 30 s with one line', async (t) => {
    const port = await freePort();
    const taken = await other(t, { port, host: '127.0.0.1' });
    const clock = new FakeClock();
    const world = await startStream(t, { clock, tcp: tcp('127.0.0.1', port) });
    const reason = `another program listens on this port (EADDRINUSE): ${ourWords()}`;
    assert.deepEqual(places(world), ['unix open', `tcp ${reason}`]);
    const line = `Event stream off on 127.0.0.1:${port}, tried again every 30 s: ${reason}`;
    assert.deepEqual(world.log.of('error'), [line]);
    assert.deepEqual(world.log.of('info'), [`Event stream open: ${world.path}`]);
    const local = await RawClient.open(t, world.path);
    await clientsOf(world.server, 1);
    world.source.tell(exitOf(NO_PID));
    await local.says('"exit"');
    for (let i = 0; i < 5; i++) await clock.advance(RETRY_MS);
    assert.deepEqual(world.log.of('error'), [line], 'once');
    await end(taken);
    await clock.advance(RETRY_MS);
    await becomes(world, 'tcp', 'open');
    await logs(world, 'info', new RegExp(`^Event stream open: 127\\.0\\.0\\.1:${port}$`));
    const remote = await RawClient.open(t, port);
    remote.socket.write('x\n');
    await remote.says('Authentication successful.');
    await clientsOf(world.server, 2);
  });

  it('may be one whose interface is not up, a name nobody knows yet, or one that is not ours to take', async (t) => {
    const clock = new FakeClock();
    const [away, unknown] = await Promise.all([
      startStream(t, { clock, tcp: tcp('192.0.2.7', 8080) }),
      startStream(t, { clock, tcp: tcp('no-such-host.invalid', 1) }),
    ]);
    assert.deepEqual(places(away), ['unix open', 'tcp no interface of this machine has this address now (EADDRNOTAVAIL)']);
    assert.match(places(unknown)[1] ?? '', /^tcp no-such-host\.invalid could not be resolved: /);
    for (const world of [away, unknown]) {
      assert.equal(world.log.of('error').length, 1);
      await RawClient.open(t, world.path);
      await clientsOf(world.server, 1);
    }
  });
});

describe('a socket of the stream that cannot be made', () => {
  it('leaves the port on, and is made when its place is free', async (t) => {
    const path = join(tempDir(t), 'e.sock');
    const taken = await other(t, { path });
    const port = await freePort();
    const clock = new FakeClock();
    const world = await startStream(t, { clock, socket: socketAt(path), tcp: tcp('127.0.0.1', port) });
    assert.deepEqual(places(world), [`unix event socket ${path}: another daemon answers there`, 'tcp open']);
    const remote = await RawClient.open(t, port);
    remote.socket.write('x\n');
    await remote.says('Authentication successful.');
    await clock.advance(RETRY_MS);
    assert.ok(taken.listening && existsSync(path), 'what is theirs stays');
    await end(taken);
    await clock.advance(RETRY_MS);
    await becomes(world, 'unix', 'open');
    await RawClient.open(t, path);
    await clientsOf(world.server, 2);
    assert.equal(world.log.of('error').length, 1);
  });

  it("may have a file, or somebody else's folder in its way", async (t) => {
    const dir = tempDir(t);
    const blocked = join(dir, 'file');
    writeFileSync(blocked, '');
    const clock = new FakeClock();
    const world = await startStream(t, { clock, socket: socketAt(join(blocked, 'e.sock')) });
    assert.match(places(world)[0] ?? '', /^unix event socket .*(?:ENOTDIR|EEXIST)/);
    rmSync(blocked);
    await clock.advance(RETRY_MS);
    await becomes(world, 'unix', 'open');
    await RawClient.open(t, join(blocked, 'e.sock'));
    await clientsOf(world.server, 1);
  });
});

describe('the socket of a stream that runs', () => {
  it('is created again if its file is gone, with its rights, and nobody is cut off', async (t) => {
    const clock = new FakeClock();
    const world = await startStream(t, { clock });
    const first = await RawClient.open(t, world.path);
    await clientsOf(world.server, 1);
    for (const remove of [
      () => rmSync(world.path),
      () => rmSync(dirname(world.path), { recursive: true }),
      () => renameSync(world.path, `${world.path}.old`),
    ]) {
      remove();
      await clock.advance(LOOK_MS);
      await waitFor('the socket', () => existsSync(world.path));
      assert.equal(lstatSync(world.path).mode & 0o777, 0o660);
      const late = await RawClient.open(t, world.path);
      await clientsOf(world.server, 2);
      world.source.tell(exitOf(NO_PID));
      for (const client of [first, late]) await waitFor('its line', () => client.events().length > 0);
      first.text = '';
      late.socket.destroy();
      await clientsOf(world.server, 1);
    }
    await clock.advance(LOOK_MS);
    assert.equal(first.closed, false);
    assert.equal(world.log.of('error').length, 0);
    assert.equal(world.log.of('warning').filter((line) => /was missing and has been created again$/.test(line)).length, 3);
    await world.server.stop();
    await first.gone();
    assert.equal(existsSync(world.path), false);
  });

  it('is not made over what another has put there', async (t) => {
    const clock = new FakeClock();
    const world = await startStream(t, { clock });
    rmSync(world.path);
    mkdirSync(world.path);
    await clock.advance(LOOK_MS);
    await becomes(world, 'unix', 'unavailable');
    for (let i = 0; i < 3; i++) await clock.advance(RETRY_MS);
    assert.equal(world.log.of('error').filter((line) => /is not a socket/.test(line)).length, 1);
    rmSync(world.path, { recursive: true });
    await clock.advance(RETRY_MS);
    await becomes(world, 'unix', 'open');
  });
});
