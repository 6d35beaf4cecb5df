import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cliBackends } from '../../../src/app/cli-backends.ts';
import { type DaemonSignals, runDaemon } from '../../../src/app/daemon.ts';
import { followSource, serveSource } from '../../../src/app/event-commands.ts';
import { openEventStream } from '../../../src/app/event-stream.ts';
import { createControlClient } from '../../../src/control/client.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { EventLine } from '../../../src/core/process/event-line.ts';
import type { EventStreamOptions } from '../../../src/stream/parse-events.ts';
import { NameResolver } from '../../../src/system/names/resolver.ts';
import { createProcessEventSource } from '../../../src/system/process-events/events.ts';
import { exitOf, FakeSource, NO_PID, RawClient } from '../../helpers/event-world.ts';
import { freePort } from '../../helpers/free-port.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { skipUnless } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** Signals that the test gives. */
class TestSignals implements DaemonSignals {
  readonly #stop: (() => void)[] = [];

  onStop(handler: () => void): void {
    this.#stop.push(handler);
  }
  onAbort(): void {}
  onReload(): void {}

  async stop(): Promise<void> {
    await waitFor('somebody who listens for the stop', () => this.#stop.length > 0);
    for (const handler of this.#stop) handler();
  }
}

/** Why the kernel's events cannot be had here: false where they can. */
const noConnector = skipUnless(
  await (async (): Promise<string | undefined> => {
    const source = createProcessEventSource({ types: new Set(['exit']) });
    const subscription = await source.subscribe(() => {});
    source.close();
    return subscription.kind === 'unavailable' ? subscription.reason : undefined;
  })(),
);

function optionsFor(path: string): EventStreamOptions {
  return { socket: { path, mode: 0o660, group: undefined }, tcp: undefined, types: new Set(['exit']), clients: 10 };
}

describe('the event stream of the daemon', () => {
  it('stays off, with one line, if the source or the socket is not available; else it counts its clients', async (t) => {
    const path = join(tempDir(t), 'e.sock');
    const log = new RecordedLog();
    const away = new FakeSource();
    away.problem = 'no connector in this kernel';
    const off = await openEventStream({
      names: new NameResolver(),
      options: optionsFor(path),
      source: away,
      clock: systemClock,
      log,
    });
    assert.deepEqual(off.status(), {
      state: 'unavailable',
      reason: away.problem,
      clients: 0,
      lost: 0,
      dropped: 0,
      failedLogins: 0,
      listeners: [{ kind: 'unix', address: path, state: 'unavailable', reason: away.problem }],
    });
    assert.deepEqual(
      log.lines.map(({ level, message }) => `${level} ${message}`),
      ['warning Event stream off: no connector in this kernel'],
    );
    assert.equal(existsSync(path), false);
    const open = async (): ReturnType<typeof openEventStream> => {
      const stream = await openEventStream({
        names: new NameResolver(),
        options: optionsFor(path),
        source: new FakeSource(),
        clock: systemClock,
        log,
      });
      t.after(() => stream.stop());
      return stream;
    };
    const first = await open();
    assert.equal(first.status().state, 'open');
    const second = await open();
    assert.match(second.status().reason ?? '', /another daemon answers there/);
    assert.match(
      log.of('error').join(),
      /^Event stream off on \S+e\.sock, tried again every 30 s: event socket \S+: another daemon answers there$/,
    );
    await second.stop();
    await RawClient.open(t, path);
    await waitFor('the client', () => first.status().clients === 1);
  });

  it('reports real processes, is in the status, and ends with the daemon', { skip: noConnector }, async (t) => {
    const dir = tempDir(t);
    const [path, control] = [join(dir, 'e.sock'), join(dir, 'c.sock')];
    const file = join(dir, 'config.ini');
    const text = `[database]\ndriver = sqlite\npath = ${dir}/a.db\n[monitor]\nstate_dir = ${dir}/state\n[logging]\nfile = ${dir}/log\n[control]\nsocket = ${control}\n[events]\nsocket = ${path}\n`;
    writeFileSync(file, text, { mode: 0o600 });
    const signals = new TestSignals();
    const running = runDaemon({ configFile: file, verbose: false, version: '1', signals });
    await waitFor('the socket', () => existsSync(path));
    const client = await RawClient.open(t, path);
    const status = async (): Promise<unknown> => (await createControlClient(control).status()).events;
    await waitFor('the client', async () => JSON.stringify(await status()).includes('"clients":1'));
    const listeners = [{ kind: 'unix', address: path, state: 'open', reason: null }];
    const counters = { clients: 1, lost: 0, dropped: 0, failedLogins: 0 };
    assert.deepEqual(await status(), { state: 'open', reason: null, ...counters, listeners });
    await expectStory(client);
    await signals.stop();
    await running;
    await client.gone();
    assert.equal(existsSync(path), false);
  });
});

/** A known program's life as a client hears it. */
async function expectStory(client: RawClient): Promise<void> {
  const child = spawn('sh', ['-c', 'read x; kill -SEGV $$'], { stdio: ['pipe', 'inherit', 'inherit'] });
  const of = (event: string): Record<string, unknown> | undefined =>
    client.events().find((line) => line.event === event && (line.pid ?? line.child_pid) === child.pid);
  await waitFor('its exec', () => of('exec'));
  child.stdin.end('x\n');
  await once(child, 'close');
  const exit = await waitFor('its exit', () => of('exit'));
  assert.equal(of('fork')?.parent_pid, process.pid);
  assert.equal(of('exec')?.cmdline, 'sh -c read x; kill -SEGV $$');
  assert.equal(of('exec')?.user, exit.user);
  assert.equal(exit.signal, 'SIGSEGV');
  assert.equal(Number(exit.exit_code) & 0x7f, 11);
  assert.equal(exit.ppid, process.pid);
  assert.equal(exit.comm, 'sh');
  assert.ok(typeof exit.lifetime_ms === 'number' && exit.lifetime_ms < 60_000);
  const kinds = client.events().filter((line) => (line.pid ?? line.child_pid) === child.pid);
  assert.deepEqual(
    kinds.map(({ event }) => event),
    ['fork', 'exec', 'exit'],
  );
}

describe('the stream without the daemon', () => {
  it('is followed until the stop', async () => {
    const source = new FakeSource();
    const signals = new TestSignals();
    const lines: EventLine[] = [];
    const following = followSource(source, {
      types: new Set(['exit']),
      signals,
      onLines: (more) => lines.push(...more),
    });
    await waitFor('the subscription', () => source.listeners.size === 1);
    source.tell(exitOf(NO_PID, 9), { type: 'fork', at: 1, pid: NO_PID, parentPid: 1 }, { type: 'lost', at: 1, count: 2 });
    await signals.stop();
    assert.deepEqual(await following, { kind: 'ended', received: 1, lost: 0 });
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['exit', 'lost'],
    );
    assert.ok(source.closed);
  });

  it('is served until the stop, on a socket and a port', async (t) => {
    const path = join(tempDir(t), 'e.sock');
    const port = await freePort();
    const source = new FakeSource();
    const signals = new TestSignals();
    const said: string[] = [];
    const options = {
      types: new Set(['exit'] as const),
      socket: path,
      tcp: { host: '127.0.0.1', port },
      auth: 'x',
      clients: 2,
    };
    const serving = serveSource(source, { ...options, signals, say: (line) => said.push(line) });
    await waitFor('the port', () => said.some((line) => line === `Event stream open: ${path}, 127.0.0.1:${port}`));
    const clients = [await RawClient.open(t, path), await RawClient.open(t, port)];
    clients[1]?.socket.write('x\n');
    await waitFor('both clients', () => said.filter((line) => line.includes(' connected (')).length === 2);
    source.tell(exitOf(NO_PID));
    for (const client of clients) await client.says('"exit"');
    await signals.stop();
    assert.deepEqual(await serving, { kind: 'ended' });
    for (const client of clients) await client.gone();
    assert.equal(existsSync(path), false);
    assert.ok(source.closed);
  });

  it('says why it is not available', async (t) => {
    const source = new FakeSource();
    source.problem = 'no connector';
    const common = { types: new Set(['exit'] as const), signals: new TestSignals() };
    const none = { socket: undefined, tcp: undefined, auth: undefined, clients: 1, say: () => {} };
    assert.deepEqual(await followSource(source, { ...common, onLines: () => {} }), {
      kind: 'unavailable',
      reason: 'no connector',
    });
    assert.deepEqual(await serveSource(source, { ...common, ...none }), { kind: 'unavailable', reason: 'no connector' });
    const tcp = { host: '127.0.0.1', port: 1 };
    assert.equal((await serveSource(new FakeSource(), { ...common, ...none, tcp })).kind, 'unavailable');
    const path = join(tempDir(t), 'no such file');
    writeFileSync(path, '');
    const taken = await serveSource(new FakeSource(), { ...common, ...none, socket: path });
    assert.match(taken.kind === 'unavailable' ? taken.reason : '', /the path exists and is not a socket/);
  });

  it('reads this kernel', { skip: noConnector }, async (t) => {
    const signals = new TestSignals();
    // An open source would keep this file from ending.
    t.after(() => signals.stop());
    const lines: EventLine[] = [];
    const onLines = (more: readonly EventLine[]): void => void lines.push(...more);
    const following = cliBackends.followEvents({ types: new Set(['exit']), signals, onLines });
    await waitFor('an exit, with the name of what ended: a process that is gone before it was looked at has none', async () => {
      const child = spawn('sh', ['-c', 'exit 7']);
      await once(child, 'close');
      const ended = lines.flatMap((line) => (line.event === 'exit' && line.exit_status === 7 ? [line] : []));
      return ended.some(({ ppid, comm }) => ppid === process.pid && comm === 'sh');
    });
    await signals.stop();
    assert.equal((await following).kind, 'ended');
  });
});
