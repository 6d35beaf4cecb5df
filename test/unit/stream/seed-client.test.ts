import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { ProcessEvent } from '../../../src/core/process/event.ts';
import { eventText } from '../../../src/stream/text.ts';
import { clientsOf, exitOf, NO_PID, startStream } from '../../helpers/event-world.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { freePort } from '../../helpers/free-port.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** What the client of procMonitor would show its user. */
interface Told {
  readonly events: Record<string, unknown>[];
  readonly unread: string[];
  isIn: boolean;
  isRefused: boolean;
  closed: boolean;
}

/** Over TCP it sends the password at once, and takes whatever one read gives for one message. `end`: of the password's line. */
function overTcp(t: TestContext, port: number, password: string, end = '\n'): Told {
  const told: Told = { events: [], unread: [], isIn: false, isRefused: false, closed: false };
  const socket = follow(t, connect(port, '127.0.0.1'), told);
  socket.on('connect', () => socket.write(`${password}${end}`));
  socket.on('data', (data) => {
    const message = data.toString();
    if (message.includes('Authentication successful')) told.isIn = true;
    else if (message.includes('Authentication failed')) {
      told.isRefused = true;
      socket.end();
    } else take(told, message);
  });
  return told;
}

function follow(t: TestContext, socket: Socket, told: Told): Socket {
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  return socket.on('close', () => {
    told.closed = true;
  });
}

function take(told: Told, message: string): void {
  try {
    told.events.push(JSON.parse(message) as Record<string, unknown>);
  } catch {
    told.unread.push(message);
  }
}

function exits(count: number): ProcessEvent[] {
  return Array.from({ length: count }, (_, i) => exitOf(NO_PID + i, 256));
}

/** Between two lines, as long as few wait. */
const PAUSE_MS = 10;

describe('the client of procMonitor', () => {
  const tcpOn = (port: number) => ({ tcp: { host: '127.0.0.1', port, auth: 'mysecretpassword', tls: undefined } });

  it('is let in, and reads each event of a burst over TCP', async (t) => {
    const port = await freePort();
    // However long a busy machine lets the client wait: the next line is written a pause after the one that it has read.
    const clock = new FakeClock();
    const { source, server } = await startStream(t, { clock, ...tcpOn(port) });
    const told = overTcp(t, port, 'mysecretpassword');
    await waitFor('it is in', () => told.isIn);
    await clientsOf(server, 1);
    const before = told.unread.length;
    source.tell(...exits(20));
    for (let read = 0; read < 20; read++) {
      assert.equal(told.events.length, read, 'one line after each pause');
      await clock.advance(PAUSE_MS);
      await waitFor('the next one', () => told.events.length > read);
    }
    assert.deepEqual(
      told.events.map(({ event, pid, exit_code, user }) => [event, pid, exit_code, user]),
      Array.from({ length: 20 }, (_, i) => ['exit', NO_PID + i, 256, 'unknown']),
    );
    // The question for the password is none of its events, with its own server too.
    assert.equal(told.unread.length, before);
    assert.ok(told.unread.every((message) => message === 'Password: '));
  });

  it('is delayed by nothing if very much happens: events then come together', async (t) => {
    const port = await freePort();
    const { source, server } = await startStream(t, tcpOn(port));
    const told = overTcp(t, port, 'mysecretpassword');
    await waitFor('it is in', () => told.isIn);
    await clientsOf(server, 1);
    source.tell(...exits(20_000));
    const lines = (): number => told.unread.join('').split('\n').length - 1 + told.events.length;
    await waitFor('all of them', () => lines() >= 20_000);
    assert.equal(server.counters().dropped, 0);
  });

  it('may send a password without the end of a line, once', async (t) => {
    const port = await freePort();
    const clock = new FakeClock();
    const { server } = await startStream(t, { clock, ...tcpOn(port) });
    const told = overTcp(t, port, 'mysecretpassword', '');
    await waitFor('the question', () => told.unread.includes('Password: '));
    await waitFor('it is in', async () => {
      await clock.advance(500);
      return told.isIn;
    });
    const wrong = overTcp(t, port, 'mysecret', '');
    await waitFor('its end', async () => {
      await clock.advance(500);
      return wrong.isRefused && wrong.closed;
    });
    assert.equal(server.counters().failedLogins, 1);
  });

  it('reads lines that are written as its own server writes them', () => {
    const time = '2026-01-02T03:04:05.678Z';
    const lines = [
      eventText({ event: 'exit', pid: 4162819, exit_code: 256, user: 'root', exit_status: 1, time }),
      eventText({ event: 'fork', child_pid: 4162820, parent_pid: 755, user: 'root', time }),
      eventText({ event: 'exec', pid: 4162820, user: 'root', cmdline: 'sleep "1"\n', time }),
    ];
    assert.deepEqual(lines, [
      `{"event":"exit", "pid":4162819, "exit_code":256, "user":"root", "exit_status":1, "time":"${time}"}\n`,
      `{"event":"fork", "child_pid":4162820, "parent_pid":755, "user":"root", "time":"${time}"}\n`,
      `{"event":"exec", "pid":4162820, "user":"root", "cmdline":"sleep \\"1\\"\\n", "time":"${time}"}\n`,
    ]);
  });
});
