import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ProcessEvent } from '../../../src/core/process/event.ts';
import type { EventStreamOptions } from '../../../src/stream/parse-events.ts';
import { endAfter } from '../../helpers/end-after.ts';
import { clientsOf, exitOf, NO_PID, RawClient, startStream } from '../../helpers/event-world.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { freePort } from '../../helpers/free-port.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

describe('the event stream', () => {
  it('sends every client every event, one JSON object a line, in the words of procMonitor', async (t) => {
    const { source, server, path } = await startStream(t);
    const clients = await Promise.all([RawClient.open(t, path), RawClient.open(t, path)]);
    await clientsOf(server, 2);
    const at = Date.parse('2026-01-02T03:04:05.678Z');
    source.tell({ type: 'fork', at, pid: NO_PID, parentPid: NO_PID + 1 }, { ...exitOf(NO_PID, 256), at: at + 1500.4 });
    for (const client of clients) {
      await waitFor('both lines', () => client.events().length === 2);
      assert.deepEqual(client.events(), [
        { event: 'fork', child_pid: NO_PID, parent_pid: NO_PID + 1, user: 'unknown', time: '2026-01-02T03:04:05.678Z' },
        {
          event: 'exit',
          pid: NO_PID,
          exit_code: 256,
          user: 'unknown',
          exit_status: 1,
          lifetime_ms: 1500,
          time: '2026-01-02T03:04:07.178Z',
          ppid: 1,
        },
      ]);
    }
  });

  it('is narrowed by a first line, and by nothing else that is sent', async (t) => {
    const { source, server, path } = await startStream(t);
    const first = [
      '{"events":["exit"]}\n',
      '{"events":["exit","no such"]}\r\n{"events":[]}\n',
      '{"user":"root"}\n',
      '{"name":"sh"}\n',
      '{"events":"exit"}\n',
      'GET / HTTP/1.1\r\n\r\n',
      '\0'.repeat(100_000),
      '',
    ];
    const clients = await Promise.all(first.map(() => RawClient.open(t, path)));
    await clientsOf(server, first.length);
    for (const [i, client] of clients.entries()) client.socket.write(first[i] ?? '');
    // The filter is taken when its time comes: each client is asked again until it has had its effect.
    const round = async (): Promise<number[]> => {
      for (const client of clients) client.text = '';
      source.tell(
        { type: 'fork', at: 1, pid: NO_PID, parentPid: 1 },
        { type: 'comm', at: 1, pid: NO_PID, name: 'sh' },
        exitOf(NO_PID),
        { type: 'fork', at: 1, pid: NO_PID + 1, parentPid: NO_PID + 2 },
        { type: 'lost', at: 1, count: 3 },
      );
      const ends = (client: RawClient): boolean => client.events().at(-1)?.event === 'lost';
      await waitFor('the last line at each', () => clients.every(ends));
      return clients.map((client) => client.events().length);
    };
    await waitFor('the filters', async () => (await round()).join() === '2,2,3,2,4,4,4,4');
    assert.deepEqual(
      clients[2]?.events().map(({ event }) => event),
      ['fork', 'exit', 'lost'],
    );
  });

  it('sends only the kinds it is configured for', async (t) => {
    const { source, server, path } = await startStream(t, { types: new Set(['exit']) });
    const client = await RawClient.open(t, path);
    await clientsOf(server, 1);
    source.tell({ type: 'fork', at: 1, pid: NO_PID, parentPid: 1 }, exitOf(NO_PID));
    await waitFor('the exit', () => client.events().length === 1);
    assert.deepEqual(client.events()[0]?.event, 'exit');
  });

  it('has room for so many clients, and the next one gets a message', async (t) => {
    const { source, server, path } = await startStream(t, { clients: 3 });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(t, path)));
    await clientsOf(server, 3);
    const fourth = await RawClient.open(t, path);
    await fourth.gone();
    assert.equal(fourth.text, 'Too many clients (3 at most). Disconnecting.\n');
    source.tell(exitOf(NO_PID));
    for (const client of clients) await client.says('"exit"');
    clients[0]?.socket.destroy();
    await clientsOf(server, 2);
    await RawClient.open(t, path);
    await clientsOf(server, 3);
  });

  for (const kind of ['unix', 'tcp'] as const)
    it(`keeps places for root, and for others beside one who takes all he can get: ${kind}`, asRoot, async (t) => {
      const port = await freePort();
      const { source, server, path } = await startStream(t, { ...tcp('127.0.0.1', port), socket: openSocket(t) });
      const where = kind === 'unix' ? path : port;
      const hers = await crowdOf(t, 4711, where, 50);
      await waitFor('her answers', () => hers.told().length === 45);
      assert.deepEqual(new Set(hers.told()), new Set(['Too many clients of one user (5 at most). Disconnecting.']));
      const his = await crowdOf(t, 4712, where, 5);
      await clientsOf(server, 10);
      const last = await crowdOf(t, 4713, where, 1);
      await waitFor('the last answer', () => last.told().length === 1);
      assert.deepEqual([last.told(), his.told()], [['Too many clients (10 at most). Disconnecting.'], []]);
      const roots = await Promise.all(Array.from({ length: 10 }, () => RawClient.open(t, where)));
      for (const { socket } of roots) socket.write(kind === 'tcp' ? 'x\n' : '{}\n');
      await clientsOf(server, 20);
      source.tell(exitOf(NO_PID));
      for (const client of roots) await client.says('"exit"');
    });

  it('reserves no place for a client that is not logged in', asRoot, async (t) => {
    const port = await freePort();
    const { server } = await startStream(t, { ...tcp('127.0.0.1', port), clients: 1 });
    const silent = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(t, port)));
    for (const client of silent) await client.says('Password: ');
    silent[19]?.socket.write('x\n');
    await silent[19]?.says('Authentication successful.');
    assert.equal(server.counters().clients, 1);
  });

  it('keeps sending to a client that closes its sending side, whose filter then needs no end of a line', async (t) => {
    const { source, server, path } = await startStream(t, { clients: 3 });
    const clients = await Promise.all(['', '{"events":["fork"]}\n', '{"events":["fork"]}'].map(() => RawClient.open(t, path)));
    await clientsOf(server, 3);
    for (const [i, said] of ['', '{"events":["fork"]}\n', '{"events":["fork"]}'].entries()) clients[i]?.socket.end(said);
    await waitFor('the filters', async () => {
      for (const client of clients) client.text = '';
      source.tell(exitOf(NO_PID), { type: 'fork', at: 1, pid: NO_PID, parentPid: 1 });
      for (const client of clients) await client.says('"fork"');
      return clients.map((client) => client.events().length).join() === '2,1,1';
    });
    const next = await RawClient.open(t, path);
    await next.gone();
    assert.match(next.text, /^Too many clients/, 'nobody has to give way to it');
    for (const client of clients) client.socket.destroy();
    await clientsOf(server, 0);
  });

  it('costs nothing while nobody listens', async (t) => {
    const clock = new FakeClock();
    const { source, server, path } = await startStream(t, { clock });
    assert.equal(source.subscriptions, 1);
    await clock.advance(6000);
    assert.equal(source.listeners.size, 0);
    const client = await RawClient.open(t, path);
    await clientsOf(server, 1);
    assert.equal(source.listeners.size, 1);
    client.socket.destroy();
    await clientsOf(server, 0);
    await clock.advance(4000);
    assert.equal(source.listeners.size, 1, 'it lingers');
    await clock.advance(2000);
    assert.equal(source.listeners.size, 0);
  });

  it('says why events are not available when the client comes', async (t) => {
    const clock = new FakeClock();
    const { source, path } = await startStream(t, { clock });
    await clock.advance(6000);
    source.problem = 'no connector';
    const client = await RawClient.open(t, path);
    await client.gone();
    assert.equal(client.text, 'Events are not available: no connector. Disconnecting.\n');
  });
});

const tcp = (host: string, port: number) => ({ tcp: { host, port, auth: 'x', tls: undefined } });

/** A socket that everybody may connect to. */
function openSocket(t: TestContext): NonNullable<EventStreamOptions['socket']> {
  const folder = tempDir(t);
  chmodSync(folder, 0o755);
  return { path: join(folder, 'e.sock'), mode: 0o666, group: undefined };
}

/** So many connections of a user, who logs in and says nothing more; what each was told before it was closed. */
async function crowdOf(t: TestContext, uid: number, where: string | number, count: number) {
  const argv = ['-e', CROWD, String(where), String(count)];
  const child = spawn(process.execPath, argv, { uid, gid: uid, stdio: ['ignore', 'pipe', 'inherit'] });
  endAfter(t, child);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await waitFor('all connections', () => text.includes('connected\n'));
  return { told: () => text.split('\n').filter((line) => line.startsWith('Too many')) };
}

const CROWD = `
  const { connect } = require('node:net');
  const [where, count] = process.argv.slice(1);
  let left = Number(count);
  for (let i = 0; i < count; i++) {
    const socket = connect(where.startsWith('/') ? { path: where } : { port: Number(where), host: '127.0.0.1' });
    let said = '';
    socket.on('error', () => {}).on('connect', () => {
      if (!where.startsWith('/')) socket.write('x\\n');
      if (--left === 0) console.log('connected');
    });
    socket.setEncoding('utf8').on('data', (text) => { said += text; });
    socket.on('close', () => console.log(said.replace('Password: ', '').trim()));
  }
`;

describe('a slow client of the event stream', () => {
  it('loses what does not fit, reports how much, and delays nobody', async (t) => {
    const { source, server, path } = await startStream(t);
    const [slow, quick] = [await RawClient.open(t, path), await RawClient.open(t, path)];
    await clientsOf(server, 2);
    slow.socket.pause();
    const total = 100_000;
    await flood(source, total, () => quick.events().length);
    assert.equal(quick.events().length, total);
    assert.ok(server.counters().dropped > 0);
    slow.socket.resume();
    const lost = (): number => slow.events().reduce((sum, { event, count }) => sum + (event === 'lost' ? Number(count) : 0), 0);
    await waitFor('the gap told', () => lost() > 0);
    source.tell(exitOf(NO_PID + total));
    await waitFor('the line behind it', () => slow.events().at(-1)?.pid === NO_PID + total);
    const told = slow.events().filter(({ event }) => event === 'exit').length;
    assert.equal(told + lost(), total + 1);
    assert.equal(lost(), server.counters().dropped);
    const order = slow.events().map(({ event, pid }) => (event === 'exit' ? Number(pid) : undefined));
    assert.deepEqual(
      order.filter((pid) => pid !== undefined),
      [...order.filter((pid) => pid !== undefined)].sort((a, b) => a - b),
    );
  });

  it('is cut after 30 s in which it read nothing', async (t) => {
    const clock = new FakeClock();
    const { source, server, path, log } = await startStream(t, { clock });
    const stopped = spawn(process.execPath, ['-e', READER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => void stopped.kill('SIGKILL'));
    await once(stopped.stdout, 'data');
    const quick = await RawClient.open(t, path);
    await clientsOf(server, 2);
    stopped.kill('SIGSTOP');
    await flood(source, 20_000, () => quick.events().length);
    await clock.advance(20_000);
    assert.equal(server.counters().clients, 2);
    await clock.advance(20_000);
    await clientsOf(server, 1);
    assert.match(log.of('warning').join(), /a local client has read nothing for 30 s: disconnected/);
    source.tell(exitOf(NO_PID));
    await waitFor('the quick one', () => quick.events().length === 20_001);
  });
});

const READER = 'require("net").connect(process.argv[1], () => console.log("up")).resume()';

/** So many exits, each 100 told before the next are. */
async function flood(source: { tell(...events: ProcessEvent[]): void }, total: number, seen: () => number): Promise<void> {
  for (let i = 0; i < total; i += 1000) {
    source.tell(...Array.from({ length: 1000 }, (_, j) => exitOf(NO_PID + i + j)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await waitFor('all lines', () => seen() >= total);
}

describe('the TCP address of the event stream', () => {
  it('may be a name', async (t) => {
    const port = await freePort();
    await startStream(t, tcp('localhost', port));
    const client = new RawClient(t, connect({ host: 'localhost', port }));
    await waitFor('the greeting', () => client.text !== '');
  });
});
