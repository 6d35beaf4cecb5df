import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { createControlClient } from '../../../src/control/client.ts';
import type { RecoverReply } from '../../../src/control/orders/recover.ts';
import { httpText, openConnection, rawExchange, startControl } from '../../helpers/control-world.ts';
import { leaveDeadSocket } from '../../helpers/dead-socket.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { someProcess, someStatus } from '../../helpers/scripted-orders.ts';
import { strangersSocket } from '../../helpers/strangers-socket.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const isRoot = process.geteuid?.() === 0;

describe('the control server', () => {
  it('answers promptly among a hundred idle and a hundred babbling clients', async (t) => {
    const { socket } = await startControl(t);
    const babble = [
      'GET /v1/status HTTP/1.1\r\nX: ',
      'POST /v1/alarms HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"pro',
      httpText('GET', '/v1/status').repeat(50),
      '\0\0\0\0',
    ];
    const clients = await Promise.all(Array.from({ length: 200 }, () => openConnection(t, socket)));
    let over = false;
    const babbling = clients.slice(100).map(async (client, i) => {
      client.write(babble[i % babble.length] ?? '');
      while (!over && !client.destroyed) {
        client.write('x');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const client = createControlClient(socket);
    for (let i = 0; i < 20; i++) {
      const before = performance.now();
      assert.equal((await client.status()).pid, 4711);
      assert.ok(performance.now() - before < 8000, 'promptly');
    }
    over = true;
    await Promise.all(babbling);
  });

  it('lets the oldest idle connection go when there are too many', async (t) => {
    const { socket } = await startControl(t);
    const clients = await Promise.all(Array.from({ length: 300 }, () => openConnection(t, socket)));
    for (const client of clients) client.resume();
    assert.equal((await createControlClient(socket).status()).pid, 4711);
    await waitFor('the first of them gone', () => clients.slice(0, 44).every((client) => client.destroyed));
  });

  it('is not held by a client that does not read its answer', async (t) => {
    const processes = Array.from({ length: 20_000 }, (_, i) => someProcess({ name: `process ${i}` }));
    const { socket, server } = await startControl(t, { status: () => someStatus({ processes }) });
    const deaf = await openConnection(t, socket);
    deaf.pause();
    deaf.write(httpText('GET', '/v1/status'));
    assert.equal((await createControlClient(socket).status()).processes.length, 20_000);
    const before = performance.now();
    await server.stop();
    assert.ok(performance.now() - before < 10_000);
  });

  it('stops at once, idle connections and all, and takes its file along', async (t) => {
    const { socket, server } = await startControl(t);
    const idle = await openConnection(t, socket);
    idle.resume();
    const closed = once(idle, 'close');
    const before = performance.now();
    await Promise.all([server.stop(), server.stop()]);
    await closed;
    assert.ok(performance.now() - before < 900, 'no waiting for idle clients');
    assert.equal(existsSync(socket), false);
    assert.deepEqual(readdirSync(dirname(socket)), []);
  });

  it('ends a held order that does not end in time, and answers one that does', async (t) => {
    let end: (reply: RecoverReply) => void = () => {};
    const { socket, server, calls } = await startControl(t, { recover: () => new Promise((resolve) => (end = resolve)) });
    const first = createControlClient(socket).recover('a');
    await waitFor('the order', () => calls.length === 1);
    const stopped = server.stop();
    end({ kind: 'failed', reason: 'interrupted: the daemon stops' });
    assert.deepEqual(await first, { kind: 'failed', reason: 'interrupted: the daemon stops' });
    await stopped;
    const other = await startControl(t, { recover: () => new Promise(() => {}) });
    const never = createControlClient(other.socket).recover('a');
    await waitFor('the order', () => other.calls.length === 1);
    await Promise.all([other.server.stop(), assert.rejects(never, { code: 'CONTROL_NO_ANSWER' })]);
  });
});

describe('the time limits of the control server', { concurrency: true }, () => {
  const limits = { headMs: 300, requestMs: 600, answerMs: 300 };
  /** Lasts as long as a request may that is never complete. */
  const requestTime = (socket: string) =>
    rawExchange(socket, httpText('POST', '/v1/reload', undefined, { 'Content-Length': '10' }));

  it('hangs up on a client that does not read its answer', async (t) => {
    const processes = Array.from({ length: 20_000 }, (_, i) => someProcess({ name: `process ${i}` }));
    const { socket, calls } = await startControl(t, { status: () => someStatus({ processes }) }, { limits });
    const deaf = await openConnection(t, socket);
    deaf.pause();
    deaf.write(httpText('GET', '/v1/status'));
    await waitFor('the order', () => calls.length === 1);
    await requestTime(socket);
    // What the kernel holds by then can still be read, and no more.
    let received = '';
    deaf.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    deaf.resume();
    await once(deaf, 'close');
    const announced = Number(/Content-Length: (\d+)/.exec(received)?.[1]);
    assert.ok(received.length < announced, `${received.length} of ${announced}`);
  });

  it('hangs up on those who say nothing or never end', async (t) => {
    const { socket } = await startControl(t, {}, { limits });
    const beginnings = [
      '',
      'GET /v1/status HTTP/1.1\r\nHost: x\r\n',
      httpText('POST', '/v1/reload', undefined, { 'Content-Length': '10' }),
    ];
    const answers = await Promise.all(beginnings.map((bytes) => rawExchange(socket, bytes)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [408, 408, 408],
    );
  });

  it('keeps the connection during a recovery, and lets the recovery continue when the client leaves', async (t) => {
    let end: (reply: RecoverReply) => void = () => {};
    const recover = (): Promise<RecoverReply> => new Promise((resolve) => (end = resolve));
    const { socket, calls } = await startControl(t, { recover }, { limits });
    const impatient = await openConnection(t, socket);
    impatient.write(httpText('POST', '/v1/recoveries', '{"name":"a"}'));
    await waitFor('the order', () => calls.length === 1);
    impatient.destroy();
    end({ kind: 'failed', reason: 'nobody hears this' });
    const patient = createControlClient(socket).recover('b');
    await waitFor('the second order', () => calls.length === 2);
    // Longer than any limit on a request: one that is never complete has been given up by then.
    await requestTime(socket);
    end({ kind: 'recovered', attempts: 2, durationMs: 11_000 });
    assert.deepEqual(await patient, { kind: 'recovered', attempts: 2, durationMs: 11_000 });
  });
});

describe('the socket file', () => {
  it('has its rights, and no leftovers beside it', async (t) => {
    const umask = process.umask(0o077);
    t.after(() => process.umask(umask));
    const folder = join(tempDir(t), 'made', 'for it');
    const { socket } = await startControl(t, {}, { socket: join(folder, 'c.sock') });
    assert.equal(lstatSync(socket).mode & 0o7777, 0o660);
    assert.equal(statSync(folder).mode & 0o7777, 0o755);
    assert.deepEqual(readdirSync(folder), ['c.sock']);
  });

  it('is given to the group, or a line says that it cannot be', { skip: !isRoot && 'needs root' }, async (t) => {
    assert.equal(lstatSync((await startControl(t, {}, { group: '12345' })).socket).gid, 12345);
    const { socket, lines } = await startControl(t, {}, { group: 'no-such-group' });
    assert.equal(lstatSync(socket).gid, process.getegid?.());
    assert.match(lines.join('\n'), /warning .*no-such-group: there is no such group/);
  });

  it('of a dead daemon is replaced', async (t) => {
    const socket = join(tempDir(t), 'c.sock');
    leaveDeadSocket(socket);
    assert.ok(existsSync(socket));
    await startControl(t, {}, { socket });
    assert.equal((await createControlClient(socket).status()).pid, 4711);
  });

  it('of a living daemon is an error that names it, and stays', async (t) => {
    const { socket } = await startControl(t);
    await assert.rejects(startControl(t, {}, { socket }), (error: Error) => {
      assert.match(error.message, /another daemon answers there/);
      assert.ok(error.message.includes(socket));
      return (error as NodeJS.ErrnoException).code === 'SOCKET_TAKEN';
    });
    assert.equal((await createControlClient(socket).status()).pid, 4711);
    assert.deepEqual(readdirSync(dirname(socket)), ['control.sock']);
  });

  it('is not removed at the end when it is another one by then', async (t) => {
    const { socket, server } = await startControl(t);
    rmSync(socket);
    const other = createServer().listen(socket);
    await once(other, 'listening');
    await server.stop();
    assert.ok(existsSync(socket));
    other.close();
  });

  const inTheWay: Record<string, (path: string) => void> = {
    'a file': (path) => writeFileSync(path, 'precious'),
    'a folder': (path) => mkdirSync(path),
    'a link to a file': (path) => {
      writeFileSync(`${path}.target`, 'precious');
      symlinkSync(`${path}.target`, path);
    },
    'a dangling link': (path) => symlinkSync('/nowhere', path),
  };
  for (const [what, lay] of Object.entries(inTheWay)) {
    it(`never replaces ${what}`, async (t) => {
      const socket = join(tempDir(t), 'c.sock');
      lay(socket);
      const before = lstatSync(socket).ino;
      const isPrecious = existsSync(`${socket}.target`);
      await assert.rejects(startControl(t, {}, { socket }), { code: 'SOCKET_UNUSABLE' });
      assert.equal(lstatSync(socket).ino, before);
      if (isPrecious) assert.equal(readFileSync(`${socket}.target`, 'utf8'), 'precious');
    });
  }

  it('is not created in a folder in which everybody may replace it', async (t) => {
    const folder = tempDir(t);
    chmodSync(folder, 0o777);
    await assert.rejects(startControl(t, {}, { socket: join(folder, 'c.sock') }), { code: 'SOCKET_UNUSABLE' });
    assert.deepEqual(readdirSync(folder), []);
    // In a sticky one nobody else removes what is ours, and clients ask who listens.
    chmodSync(folder, 0o1777);
    await startControl(t, {}, { socket: join(folder, 'c.sock') });
    assert.deepEqual(readdirSync(folder), ['c.sock']);
    await startControl(t, {}, { socket: join(folder, 'own', 'c.sock') });
  });

  it('is not laid below a folder in which others may put another in its place', asRoot, async (t) => {
    const joes = join(tempDir(t), 'joes');
    const socket = join(joes, 'a/run/c.sock');
    for (const [owner, mode, words] of [
      [4711, 0o755, 'joes belongs to user 4711, mode 0755'],
      [0, 0o775, 'joes, owner user root (0), mode 0775'],
      [0, 0o777, 'joes, owner user root (0), mode 0777'],
    ] as const) {
      for (const made of [joes, dirname(socket)]) {
        mkdirSync(made, { recursive: true });
        chownSync(joes, owner, 0);
        chmodSync(joes, mode);
        await assert.rejects(startControl(t, {}, { socket }), (error: Error) => {
          assert.ok(error.message.includes(words), error.message);
          return (error as NodeJS.ErrnoException).code === 'SOCKET_UNUSABLE';
        });
        if (made === joes) assert.deepEqual(readdirSync(joes), []);
      }
      rmSync(joes, { recursive: true });
    }
    mkdirSync(joes);
    mkdirSync(join(joes, 'real'));
    symlinkSync('real', join(joes, 'a'));
    lchownSync(join(joes, 'a'), 4711, 0);
    await assert.rejects(startControl(t, {}, { socket }), /a belongs to user 4711/);
    lchownSync(join(joes, 'a'), 0, 0);
    await startControl(t, {}, { socket });
    assert.deepEqual(readdirSync(join(joes, 'real/run')), ['c.sock'], "root's own link is followed");
  });

  it("of a process of somebody else's is called that, and no daemon", asRoot, async (t) => {
    const folder = join(tempDir(t), 'run');
    mkdirSync(folder, { mode: 0o755 });
    const { pid, socket } = await strangersSocket(t, folder);
    chownSync(folder, 0, 0);
    await assert.rejects(startControl(t, {}, { socket }), (error: Error) => {
      assert.ok(
        error.message.includes(`(pid ${pid}) of user 4711 listens there and is not a monitor_service daemon`),
        error.message,
      );
      return (error as NodeJS.ErrnoException).code === 'SOCKET_UNUSABLE';
    });
  });

  it(
    "is created again when another user's process that has taken its place has ended, and that user is named once",
    asRoot,
    async (t) => {
      const clock = new FakeClock();
      const folder = join(tempDir(t), 'run');
      const socket = join(folder, 's');
      const { lines } = await startControl(t, {}, { socket, clock });
      rmSync(socket);
      const { pid } = await strangersSocket(t, folder);
      chownSync(folder, 0, 0);
      chmodSync(folder, 0o1777);
      for (let i = 0; i < 4; i++) {
        await clock.advance(10_000);
        await waitFor('the line', () => lines.length > 0);
      }
      process.kill(pid, 'SIGKILL');
      await waitFor('the socket', async () => {
        await clock.advance(10_000);
        return (
          (
            await createControlClient(socket)
              .status()
              .catch(() => undefined)
          )?.pid === 4711
        );
      });
      assert.equal(lines.length, 2, lines.join('\n'));
      assert.match(
        lines[0] ?? '',
        new RegExp(
          `^error Control socket is gone, tried again .*\\(pid ${pid}\\) of user 4711 listens there and is not a monitor_service daemon$`,
        ),
      );
    },
  );

  for (const [what, lose] of Object.entries<(path: string) => void>({
    'its file': (path) => rmSync(path),
    'its folder': (path) => rmSync(dirname(path), { recursive: true }),
    'a stale socket in its place': (path) => {
      rmSync(path);
      leaveDeadSocket(path);
    },
  })) {
    it(`is created again when ${what} is ${what.startsWith('its') ? 'gone' : 'found'}, and an order under way is answered`, async (t) => {
      const clock = new FakeClock();
      let end: (reply: RecoverReply) => void = () => {};
      const socket = join(tempDir(t), 'run', 'c.sock');
      const recover = (): Promise<RecoverReply> => new Promise((resolve) => (end = resolve));
      const { calls, lines } = await startControl(t, { recover }, { socket, clock });
      const order = createControlClient(socket).recover('a');
      await waitFor('the order', () => calls.length === 1);
      lose(socket);
      await clock.advance(10_000);
      await isServed(socket);
      assert.equal(lstatSync(socket).mode & 0o7777, 0o660);
      await clock.advance(10_000);
      end({ kind: 'recovered', attempts: 1, durationMs: 1 });
      assert.deepEqual(await order, { kind: 'recovered', attempts: 1, durationMs: 1 });
      assert.equal(lines.filter((line) => /was gone and has been created again/.test(line)).length, 1);
    });
  }

  it('is not created over what another has put there, which is reported once', async (t) => {
    const clock = new FakeClock();
    const { socket, lines } = await startControl(t, {}, { clock });
    rmSync(socket);
    const other = createServer().listen(socket);
    await once(other, 'listening');
    for (let i = 0; i < 4; i++) {
      await clock.advance(10_000);
      await waitFor('the line', () => lines.length > 0);
    }
    assert.deepEqual(lines, [
      `error Control socket is gone, tried again every 10 s: control socket ${socket}: another daemon answers there`,
    ]);
    other.close();
    await once(other, 'close');
    await clock.advance(10_000);
    await isServed(socket);
  });
});

/** Waits until the server answers there. */
async function isServed(socket: string): Promise<void> {
  const client = createControlClient(socket);
  await waitFor('the socket', async () => (await client.status().catch(() => undefined))?.pid === 4711);
}
