import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { cli, start } from '../../../helpers/cli-process.ts';
import { seedLines, startEventServer } from '../../../helpers/event-server.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;

/** Sends lines for as long as they are taken. */
function sendForEver(socket: Socket): void {
  const block = seedLines.join('').repeat(500);
  const more = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', more);
  more();
}

describe('events as a process', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`ends with a summary and 0 by ${signal}`, async (t) => {
      const server = await startEventServer(t, 'unix', (socket) => void socket.write(seedLines.join('')));
      const run = start(t, cli('events', '--json', '--socket', server.path));
      await waitFor('the lines', () => run.output().stdout === seedLines.join(''));
      run.child.kill(signal);
      assert.equal(await run.ended, 0);
      assert.match(
        run.output().stderr,
        /^monitor_service: 4 events in \d+\.\d s \(\d+(\.\d)? a second\): 2 exit, 1 fork, 1 exec; none lost\n$/,
      );
      await waitFor('its leaving', () => server.sockets[0]?.readableEnded);
    });
  }

  it('hands on 100,000 lines, each whole, in their order', async (t) => {
    const many = Array.from({ length: 100_000 }, (_, i) => `{"event":"fork", "child_pid":${i}, "parent_pid":1}\n`).join('');
    const server = await startEventServer(t, 'unix', (socket) => void socket.end(many));
    const run = start(t, cli('events', '--json', '--socket', server.path));
    assert.equal(await run.ended, 69);
    assert.ok(run.output().stdout === many);
    assert.match(run.output().stderr, /closed the connection; until then 100000 events in /);
  });

  it('ends quietly when its reader leaves', async (t) => {
    const server = await startEventServer(t, 'unix', sendForEver);
    const line = `"$@" | head -2; echo "\${PIPESTATUS[0]}"`;
    const run = start(t, ['bash', '-c', line, 'bash', ...cli('events', '--socket', server.path)]);
    assert.equal(await run.ended, 0);
    assert.match(run.output().stdout, /^TIME .*\n.*exit 1\n141\n$/);
    assert.equal(run.output().stderr, '');
  });

  it('takes no more than its reader does, and need not be read to be ended', async (t) => {
    const server = await startEventServer(t, 'unix', sendForEver);
    const run = start(t, cli('events', '--socket', server.path), {}, { isRead: false });
    let taken = 0;
    let unchanged = 0;
    await waitFor('a server that has to wait', () => {
      const now = (server.sockets[0]?.bytesWritten ?? 0) - (server.sockets[0]?.writableLength ?? 0);
      unchanged = now > 0 && now === taken ? unchanged + 1 : 0;
      taken = now;
      return unchanged === 20;
    });
    run.child.kill('SIGTERM');
    await waitFor('the summary', () => run.output().stderr.includes('none lost'));
    run.child.kill('SIGTERM');
    assert.equal(await run.ended, 0);
  });

  it('has no permission as another user', { skip: !isRoot && 'needs root' }, async (t) => {
    const server = await startEventServer(t, 'unix', () => {});
    chmodSync(dirname(server.path), 0o755);
    chmodSync(server.path, 0o660);
    const run = start(t, cli('events', '--socket', server.path), { CLI_ENTRY_USER: String(NOBODY) });
    assert.equal(await run.ended, 77);
    assert.match(run.output().stderr, /^monitor_service: no permission to use \/.*events\.sock \(.*socket_group\)\n$/);
  });
});
