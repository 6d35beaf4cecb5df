import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createControlClient } from '../../../src/control/client.ts';
import { exchange } from '../../../src/control/exchange.ts';
import { acquireLock } from '../../../src/state/lock.ts';
import { runCommand } from '../../helpers/cli-world.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { strangersSocket } from '../../helpers/strangers-socket.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const FORGED =
  '{"outcome":"recovered","attempts":1,"durationMs":1,"until":null,"reset":["a"],"released":["a"],"changes":[],"warnings":[]}';

test('a process of a stranger behind the socket is sent nothing and believed in nothing', asRoot, async (t) => {
  const folder = join(tempDir(t), 'run');
  mkdirSync(folder);
  const { socket, pid, heard } = await strangersSocket(t, folder, FORGED);
  // The operator has taken the folder back; the stranger still sits in it. And one that everybody may write to.
  for (const [owner, mode] of [
    [0, 0o755],
    [0, 0o1777],
    [0, 0o777],
    [4711, 0o777],
    [1234, 0o755],
  ] as const) {
    chownSync(folder, owner, 0);
    chmodSync(folder, mode);
    const daemon = createControlClient(socket);
    const asked = [daemon.recover('a'), daemon.status(), daemon.reload(), daemon.hold('a', undefined, 'why')];
    for (const ask of asked)
      await assert.rejects(ask, (error: Error & { code?: string }) => {
        assert.ok(error.message.startsWith(`no daemon answers on ${socket}: "`), error.message);
        assert.ok(error.message.endsWith(` (pid ${pid}) of user 4711 listens there, and was sent nothing`), error.message);
        return error.code === 'CONTROL_NOT_RUNNING';
      });
    const config = join(folder, '../config.ini');
    writeFileSync(config, `[control]\nsocket = ${socket}\n[monitor]\nstate_dir = ${join(folder, '../state')}\n`, {
      mode: 0o600,
    });
    for (const command of [['release', '--all'], ['reload'], ['hold', 'a'], ['restart', 'a']]) {
      const { stderr } = await runCommand([...command, '--config', config]);
      assert.match(stderr, /of user 4711 listens there, and was sent nothing/);
    }
  }
  // A daemon of the user to whom root gave the folder is believed; it hears its first word now.
  chownSync(folder, 4711, 0);
  chmodSync(folder, 0o755);
  assert.deepEqual(await createControlClient(socket).recover('b'), { kind: 'recovered', attempts: 1, durationMs: 1 });
  await waitFor('what it heard', () => heard() !== '');
  assert.equal(heard().match(/ HTTP\/1\.1/g)?.length, 1, heard());
  assert.match(heard(), /^POST \/v1\/recoveries [\s\S]*\{"name":"b"\}$/);
});

test('a daemon for which too many connections wait is asked again until it takes one', async (t) => {
  const socket = join(tempDir(t), 's');
  const serve = "require('http').createServer((_, answer) => answer.end('{}')).listen({ path: process.argv[1], backlog: 1 })";
  const daemon = spawn(process.execPath, ['-e', serve, socket], { stdio: 'ignore' });
  t.after(() => daemon.kill('SIGKILL'));
  await waitFor('its socket', () => existsSync(socket));
  daemon.kill('SIGSTOP');
  let isFull = false;
  const waiting: Socket[] = [];
  t.after(() => {
    for (const one of waiting) one.destroy();
  });
  await waitFor('a full queue', () => {
    const one = connect(socket).on('error', (error: Error & { code?: string }) => {
      isFull ||= error.code === 'EAGAIN';
    });
    waiting.push(one);
    return isFull;
  });
  const asked = { socket, method: 'GET', path: '/' } as const;
  await assert.rejects(exchange({ ...asked, timeoutMs: 1000 }), { code: 'CONTROL_BUSY' });
  const answer = exchange({ ...asked, timeoutMs: 100_000 });
  daemon.kill('SIGCONT');
  assert.deepEqual(await answer, { status: 200, json: {} });
});

test('a process that has taken the socket of a running daemon is named by every command', asRoot, async (t) => {
  const folder = join(tempDir(t), 'run');
  mkdirSync(folder);
  const { socket, pid } = await strangersSocket(t, folder);
  chownSync(folder, 0, 0);
  chmodSync(folder, 0o1777);
  const config = join(folder, '../config.ini');
  writeFileSync(
    config,
    `[control]\nsocket = ${socket}\n[monitor]\nstate_dir = ${join(folder, '../state')}\n[events]\nsocket = ${folder}/e\n`,
    { mode: 0o600 },
  );
  for (const dir of ['../state', '../elsewhere']) mkdirSync(join(folder, dir), { mode: 0o700 });
  const lock = acquireLock(join(folder, '../state'), { kind: 'daemon', socket });
  t.after(() => lock.kind === 'acquired' && lock.release());
  const never = { onStop: () => {}, onAbort: () => {}, onReload: () => {} };
  const sentence = `monitor_service runs (pid ${process.pid}), but does not answer on ${socket}: "`;
  const rest = ` (pid ${pid}) of user 4711 listens there, and was sent nothing; end it, or remove the socket: then it is created again within 10 s\n`;
  for (const command of [['status'], ['alarm', 'a'], ['hold', 'a'], ['reload'], ['events']]) {
    const { code, stderr } = await runCommand([...command, '--config', config], { signals: never });
    assert.ok(stderr.includes(sentence) && stderr.endsWith(rest), `${command[0]}: ${stderr}`);
    assert.equal(code, 69);
  }
  const elsewhere = acquireLock(join(folder, '../elsewhere'), { kind: 'daemon', socket: '/run/old.sock' });
  t.after(() => elsewhere.kind === 'acquired' && elsewhere.release());
  writeFileSync(config, `[control]\nsocket = ${socket}\n[monitor]\nstate_dir = ${join(folder, '../elsewhere')}\n`);
  const { stderr } = await runCommand(['status', '--config', config]);
  assert.match(
    stderr,
    /listens on \/run\/old\.sock: .* takes effect at its next start; "\S+" \(pid \d+\) of user 4711 listens there\n$/,
  );
});
