import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { DaemonStatus, EventListenerStatus } from '../../../../src/control/status.ts';
import { acquireLock } from '../../../../src/state/lock.ts';
import { runCommand } from '../../../helpers/cli-world.ts';
import { startControl } from '../../../helpers/control-world.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { someStatus } from '../../../helpers/scripted-orders.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const never = { onStop: () => {}, onAbort: () => {}, onReload: () => {} };

function listening(...listeners: EventListenerStatus[]): NonNullable<DaemonStatus['events']> {
  const state = listeners.some((one) => one.state === 'open') ? 'open' : 'unavailable';
  return { state, reason: state === 'open' ? null : 'why not', clients: 0, lost: 0, dropped: 0, listeners };
}

const off = (kind: 'unix' | 'tcp', address: string, reason: string) =>
  ({ kind, address, state: 'unavailable', reason }) as const;
const on = (kind: 'unix' | 'tcp', address: string) => ({ kind, address, state: 'open', reason: null }) as const;

/** What `events ARGS` says, less who says it, beside a daemon whose stream is `events`. */
async function saidBeside(
  t: TestContext,
  events: DaemonStatus['events'],
  args: readonly string[] | ((socket: string) => readonly string[]),
): Promise<string> {
  const dir = tempDir(t);
  const { socket } = await startControl(t, { status: () => someStatus({ events }) });
  return said(dir, socket, typeof args === 'function' ? args(join(dir, 'e.sock')) : args);
}

async function said(dir: string, control: string, args: readonly string[]): Promise<string> {
  const config = join(dir, 'config.ini');
  const text = `[control]\nsocket = ${control}\n[monitor]\nstate_dir = ${dir}\n[events]\nsocket = ${dir}/e.sock\n`;
  writeFileSync(config, text, { mode: 0o600 });
  const run = await runCommand(['events', '--config', config, ...args], { signals: never });
  assert.deepEqual([run.code, run.stdout], [69, '']);
  return run.stderr;
}

describe('events, if nobody listens,', () => {
  it('says why the daemon cannot', async (t) => {
    const port = await freePort();
    const events = listening(
      on('unix', '/run/e.sock'),
      off('tcp', `127.0.0.1:${port}`, 'another program listens on this port'),
    );
    for (const host of ['127.0.0.1', 'localhost'])
      assert.equal(
        await saidBeside(t, events, ['--tcp', `${host}:${port}`]),
        `monitor_service: nobody listens on ${host}:${port}: monitor_service (pid 4711) cannot, and tries again: another program listens on this port\n`,
      );
    const any = listening(off('tcp', `0.0.0.0:${port}`, 'no \u001bpermission'));
    assert.match(
      await saidBeside(t, any, ['--tcp', `${port}`]),
      /: monitor_service \(pid 4711\) cannot, and tries again: no \?permission\n$/,
    );
  });

  it('says where it streams instead', async (t) => {
    const events = listening(on('unix', '/run/a.sock'), on('tcp', '127.0.0.1:9'));
    assert.match(
      await saidBeside(t, events, []),
      /: monitor_service \(pid 4711\) streams on \/run\/a\.sock, 127\.0\.0\.1:9\n$/,
    );
  });

  it('says that it does not stream, or that there are no events', async (t) => {
    assert.match(
      await saidBeside(t, null, []),
      /: monitor_service \(pid 4711\) runs without \[events\] in its configuration \(events --direct/,
    );
    const older = { state: 'unavailable', reason: 'no connector', clients: 0, lost: 0, dropped: 0 } as const;
    assert.match(await saidBeside(t, older, []), /: monitor_service \(pid 4711\) has no stream: no connector\n$/);
  });

  it('says that the daemon does not run, or that its own socket is gone', async (t) => {
    const dir = tempDir(t);
    const none = join(dir, 'none.sock');
    assert.match(await said(dir, none, []), /: the daemon does not run; it has to, with \[events\] in its configuration/);
    const port = await freePort();
    assert.match(await said(dir, none, ['--tcp', `${port}`]), /: the daemon does not run; it has to, with \[events\] tcp in /);
    const lock = acquireLock(dir);
    t.after(() => lock.kind === 'acquired' && lock.release());
    assert.match(await said(dir, none, []), /: monitor_service runs \(pid \d+\), its socket is gone: /);
  });

  it('says what the cause may be if the daemon cannot be asked', async (t) => {
    const dir = tempDir(t);
    const control = await startControl(t, { status: () => ({}) as DaemonStatus });
    assert.match(await said(dir, control.socket, []), /: the daemon does not run, or without \[events\] in its configuration/);
  });
});
