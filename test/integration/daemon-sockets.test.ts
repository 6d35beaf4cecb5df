import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createControlClient } from '../../src/control/client.ts';
import { userWords } from '../../src/system/accounts/names.ts';
import { openConnection } from '../helpers/control-world.ts';
import { type CliResult, DaemonProcess, runCli } from '../helpers/daemon.ts';
import { freePort } from '../helpers/free-port.ts';
import { asRoot } from '../helpers/requirement.ts';
import { openSqliteAlarms } from '../helpers/sqlite-alarms.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait-for.ts';

const options = { timeout: 300_000 };

/** What a daemon of the test's own is configured with: a store with one process, `a`, whose restart is `command`. */
interface Place {
  readonly dir: string;
  readonly config: string;
  readonly socket: string;
  readonly logFile: string;
  cli(...args: string[]): Promise<CliResult>;
}

function openPlace(t: TestContext, { command = 'true', more = '' } = {}): Place {
  const dir = tempDir(t);
  const [config, socket, logFile] = [join(dir, 'config.ini'), join(dir, 'run/control.sock'), join(dir, 'log')];
  openSqliteAlarms(join(dir, 'a.db'), ['a']).close();
  const sections = [
    `[database]\ndriver = sqlite\npath = ${dir}/a.db`,
    `[monitor]\nstate_dir = ${dir}/state\ncheck_interval = 86400`,
    `[logging]\nfile = ${logFile}\nsyslog = off`,
    `[control]\nsocket = ${socket}`,
    `[process.a]\nrestart_strategy = custom\nrestart_command = ${command}\nhealth_check_command = true\nhealth_check_timeout = 1`,
  ];
  writeFileSync(config, `${sections.join('\n')}\n${more}`, { mode: 0o600 });
  return { dir, config, socket, logFile, cli: (...args) => runCli([...args, '--config', config]) };
}

async function startDaemon(t: TestContext, place: Place): Promise<DaemonProcess> {
  const daemon = new DaemonProcess(place.config);
  t.after(() => daemon.stop('SIGKILL'));
  await daemon.line(/monitor_service \S+ started/);
  await waitFor('the socket', () => existsSync(place.socket));
  return daemon;
}

/** The looks are 10 s apart. */
async function socketIsBack({ socket }: Place, daemon: DaemonProcess): Promise<void> {
  await waitFor(
    'the socket again',
    async () => {
      const status = await createControlClient(socket)
        .status()
        .catch(() => undefined);
      return status?.pid === daemon.child.pid;
    },
    60_000,
  );
}

const COMMANDS = [
  ['status'],
  ['status', 'a'],
  ['status', '--json'],
  ['restart', 'a'],
  ['hold', 'a'],
  ['release', 'a'],
  ['alarm', 'a'],
  ['alarm', 'a', '--clear'],
  ['breaker'],
  ['breaker', 'a', '--reset'],
  ['match', 'a'],
  ['reload'],
  ['pin', 'a', '--yes'],
  ['unpin', 'a'],
  ['events'],
];

// Mostly they wait, each for a daemon of its own.
describe('a daemon and its sockets', { concurrency: 3 }, () => {
  test('without its socket every command says that the daemon runs, and the socket comes back', options, async (t) => {
    const place = openPlace(t);
    const daemon = await startDaemon(t, place);
    const sentence = new RegExp(`monitor_service runs \\(pid ${daemon.child.pid}\\), its socket is gone: nobody listens on `);
    // One that is connected already is served all the same.
    const early = await openConnection(t, place.socket);
    rmSync(place.socket);
    early.write('GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = (await once(early, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 /);

    let asked = 0;
    for (const command of COMMANDS) {
      rmSync(place.socket, { force: true });
      const { code, stdout, stderr } = await place.cli(...command);
      // It may have been made anew since.
      if (code === 0 || existsSync(place.socket)) continue;
      assert.deepEqual([code, stdout], [69, ''], `${command.join(' ')}: ${stderr}`);
      assert.match(stderr, sentence, command.join(' '));
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
      asked++;
    }
    assert.ok(asked > COMMANDS.length / 2, `${asked} of them found no socket`);
    await socketIsBack(place, daemon);
    assert.equal(statSync(place.socket).mode & 0o777, 0o660);
    assert.equal((await place.cli('status')).code, 0);
    assert.match(readFileSync(place.logFile, 'utf8'), /\[WARNING\] - Control socket \S+ was gone and has been created again\n/);
    assert.equal((await daemon.stop()).code, 0);
    assert.equal(existsSync(place.socket), false);
    assert.equal((await place.cli('status')).code, 3);
  });

  test(
    'a socket that a killed daemon left does not count as a daemon, and a command that carries out an order does not either',
    options,
    async (t) => {
      const go = join(tempDir(t), 'go');
      const place = openPlace(t, { command: `until [ -e ${go} ]; do sleep 0.05; done` });
      const daemon = await startDaemon(t, place);
      await daemon.stop('SIGKILL');
      assert.ok(existsSync(place.socket));
      const status = await place.cli('status');
      assert.equal(status.code, 3);
      assert.match(status.stderr, /no daemon answers on .*; reading store and state\n$/);
      const restarting = place.cli('restart', 'a');
      const holder = join(place.dir, 'state/daemon.pid');
      await waitFor('the place taken', () => existsSync(holder) && readFileSync(holder, 'latin1').includes(' command'));
      const meanwhile = await place.cli('status');
      assert.equal(meanwhile.code, 3, meanwhile.stderr);
      assert.doesNotMatch(meanwhile.stderr, /runs/);
      writeFileSync(go, '');
      assert.equal((await restarting).code, 0);
      const next = await startDaemon(t, place);
      assert.equal((await place.cli('status')).code, 0);
      assert.equal((await next.stop()).code, 0);
    },
  );

  test('a user who may not read whether a daemon runs gets a message that says so', { ...options, ...asRoot }, async (t) => {
    const place = openPlace(t);
    const daemon = await startDaemon(t, place);
    rmSync(place.socket);
    chmodSync(place.dir, 0o755);
    // A configuration of the user's own that names our state_dir: he may not read that.
    const own = join(place.dir, 'own.ini');
    writeFileSync(own, readFileSync(place.config, 'utf8'), { mode: 0o644 });
    const cli = join(import.meta.dirname, '../../src/main.ts');
    for (const command of [['status'], ['reload']]) {
      const child = spawn(process.execPath, [cli, ...command, '--config', own], { uid: 65534, gid: 65534 });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const [code] = await once(child, 'close');
      if (existsSync(place.socket)) continue;
      assert.match(stderr, /no daemon answers on .*; only root can find out whether one runs \(.*daemon\.pid: EACCES\)\n$/);
      assert.equal(code, 77);
    }
    assert.equal((await daemon.stop()).code, 0);
  });

  test('a port that is taken leaves the socket of the stream on, and events says why', options, async (t) => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    const dir = tempDir(t);
    const path = join(dir, 'e.sock');
    const place = openPlace(t, { more: `[events]\nsocket = ${path}\ntcp = ${port}\nauth = x\n` });
    const daemon = await startDaemon(t, place);
    await daemon.line(/Event stream (?:open|off)/);
    const { events } = await createControlClient(place.socket).status();
    if (events?.listeners?.every(({ state }) => state === 'unavailable')) {
      // No events of the kernel's here: then that is why.
      const run = await place.cli('events');
      assert.match(run.stderr, /nobody listens on .*: monitor_service \(pid \d+\) cannot, and tries again: |has no stream/);
      await daemon.stop();
      return;
    }
    const holder = `"${readFileSync('/proc/self/comm', 'utf8').trim()}" (pid ${process.pid}) of ${userWords(process.geteuid?.() ?? 0)}`;
    const reason = `another program listens on this port (EADDRINUSE): ${holder}`;
    assert.deepEqual(events?.listeners, [
      { kind: 'unix', address: path, state: 'open', reason: null },
      { kind: 'tcp', address: `127.0.0.1:${port}`, state: 'unavailable', reason },
    ]);
    await openConnection(t, path);
    other.close();
    const refused = await place.cli('events', '--tcp', `localhost:${port}`);
    assert.equal(refused.code, 69);
    assert.equal(
      refused.stderr,
      `monitor_service: nobody listens on localhost:${port}: monitor_service (pid ${daemon.child.pid}) cannot, and tries again: ${reason}\n`,
    );
    const elsewhere = await place.cli('events', '--socket', join(dir, 'none.sock'));
    assert.match(elsewhere.stderr, new RegExp(`: monitor_service \\(pid \\d+\\) streams on ${path}\\n$`));
    const errors = readFileSync(place.logFile, 'utf8').match(/\[ERROR\].*/g) ?? [];
    assert.deepEqual(errors, [`[ERROR] - Event stream off on 127.0.0.1:${port}, tried again every 30 s: ${reason}`]);
    assert.equal((await daemon.stop()).code, 0);
  });

  test(
    'the daemon is called monitor_service, with its command line as it was; a command monitor_client',
    options,
    async (t) => {
      const place = openPlace(t);
      const daemon = await startDaemon(t, place);
      const comm = (pid: number | undefined): string => readFileSync(`/proc/${pid}/comm`, 'utf8');
      assert.equal(comm(daemon.child.pid), 'monitor_service\n');
      const argv = readFileSync(`/proc/${daemon.child.pid}/cmdline`, 'utf8').split('\0');
      assert.deepEqual(argv.slice(-4), ['run', '--config', place.config, '']);
      const watching = spawn(process.execPath, [
        join(import.meta.dirname, '../../dist/main.js'),
        'status',
        '--watch',
        '--config',
        place.config,
      ]);
      t.after(() => watching.kill('SIGKILL'));
      await once(watching.stdout, 'data');
      assert.equal(comm(watching.pid), 'monitor_client\n');
      watching.kill('SIGKILL');
      assert.equal((await daemon.stop()).code, 0);
    },
  );
});
