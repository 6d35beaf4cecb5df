import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { createSchema } from '../../src/stores/sqlite/store.ts';
import { bundle, runCli } from '../helpers/daemon.ts';
import { endAfter } from '../helpers/end-after.ts';
import { missing, skipUnless } from '../helpers/requirement.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait-for.ts';

const isRoot = process.geteuid?.() === 0;
const options = { skip: skipUnless(isRoot ? undefined : 'needs root') || missing('setpriv'), timeout: 300_000 };

/** Root as it is in a container or a sandbox. On newer kernels environ and maps are also for who has CAP_PERFMON or CAP_SYS_ADMIN. */
const DROPPED = '-sys_ptrace,-perfmon,-sys_admin';
const LIMITED = ['setpriv', `--bounding-set=${DROPPED}`, `--inh-caps=${DROPPED}`];

/** Runs a program so limited, dumps of any length allowed, in `dir`; killed after the test. */
function start(t: TestContext, dir: string, argv: readonly string[]): ChildProcess {
  const child = spawn('sh', ['-c', 'ulimit -c unlimited 2>/dev/null; exec "$@"', 'sh', ...LIMITED, ...argv], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  endAfter(t, child);
  return child;
}

/** Whether a limited reader gets anything out of a file of this process: of one that it may not read some kernels show nothing. */
function isRead(pid: number | undefined, command: 'readlink' | 'cat', file: string): boolean {
  const [program = '', ...args] = [...LIMITED, command, `/proc/${pid}/${file}`];
  const { status, stdout } = spawnSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 && stdout.length > 0;
}

function configure(dir: string): string {
  const file = join(dir, 'config.ini');
  const database = new DatabaseSync(join(dir, 'alarms.db'));
  createSchema(database);
  database.exec("INSERT INTO PROCESE (process_id, process_name) VALUES (1, 'healed')");
  database.exec('INSERT INTO STATUS_PROCESS (process_id, alarma, sound) VALUES (1, 0, 0)');
  database.close();
  const sections = [
    `[database]\ndriver = sqlite\npath = ${join(dir, 'alarms.db')}`,
    `[monitor]\ncheck_interval = 1\nstate_dir = ${join(dir, 'state')}`,
    `[logging]\nfile = ${join(dir, 'monitor.log')}\nsyslog = off`,
    `[control]\nsocket = ${join(dir, 'control.sock')}`,
    `[process.healed]\nrestart_strategy = custom\nrestart_command = echo healed >${join(dir, 'healed')}\nhealth_check_command = test -e ${join(dir, 'healed')}`,
  ];
  writeFileSync(file, `${sections.join('\n')}\n`, { mode: 0o600 });
  return file;
}

test('root without CAP_SYS_PTRACE looks into no daemon of root’s, which heals on, and leaves no core', options, async (t) => {
  const dir = tempDir(t);
  const file = configure(dir);
  const other = start(t, dir, ['sleep', '600']);
  const daemon = start(t, dir, [process.execPath, bundle, 'run', '--config', file]);
  await waitFor('the daemon', () => existsSync(join(dir, 'control.sock')));
  // The bounding set alone refuses nothing: of another program of the same rights all is read.
  await waitFor('the other program', () => isRead(other.pid, 'readlink', 'exe'));
  for (const name of ['exe', 'cwd', 'fd/0'] as const) {
    assert.ok(isRead(other.pid, 'readlink', name), `${name} of another`);
    assert.ok(!isRead(daemon.pid, 'readlink', name), name);
  }
  for (const name of ['environ', 'maps'] as const) {
    assert.ok(isRead(other.pid, 'cat', name), `${name} of another`);
    assert.ok(!isRead(daemon.pid, 'cat', name), name);
  }
  const order = await runCli(['restart', 'healed', '--config', file]);
  assert.equal(order.code, 0, `${order.stdout}${order.stderr}${readFileSync(join(dir, 'monitor.log'), 'utf8')}`);
  assert.equal(readFileSync(join(dir, 'healed'), 'utf8'), 'healed\n');
  const [program = '', ...status] = [...LIMITED, process.execPath, bundle, 'status', '--config', file, '--json'];
  const shown = spawnSync(program, status, { encoding: 'utf8' });
  assert.equal(JSON.parse(shown.stdout).pid, daemon.pid, shown.stderr);
  await checkDumps(t, dir, daemon, other);
});

async function checkDumps(t: TestContext, dir: string, daemon: ChildProcess, other: ChildProcess): Promise<void> {
  const cores = (): string[] => readdirSync(dir).filter((name) => name.startsWith('core'));
  daemon.kill('SIGQUIT');
  assert.deepEqual(await once(daemon, 'exit'), [null, 'SIGQUIT']);
  assert.deepEqual(cores(), []);
  other.kill('SIGQUIT');
  await once(other, 'exit');
  if (cores().length === 0) t.diagnostic('this machine writes no core of anybody into the working directory');
}

test('no command that runs as root can be looked into while it runs', options, async (t) => {
  const dir = tempDir(t);
  const file = configure(dir);
  writeFileSync(file, `${readFileSync(file, 'utf8')}[process.slow]\nrestart_strategy = custom\nrestart_command = sleep 100\n`);
  const other = start(t, dir, ['sleep', '600']);
  await waitFor('the other program', () => isRead(other.pid, 'readlink', 'exe'));
  const runs = (pid: number | undefined): boolean => {
    const [program] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return program === process.execPath;
  };
  for (const words of [
    ['restart', 'slow'],
    ['status', '--watch'],
  ]) {
    const command = start(t, dir, [process.execPath, bundle, ...words, '--config', file]);
    await waitFor(words.join(' '), () => runs(command.pid));
    await waitFor(`${words.join(' ')} is closed`, () => !isRead(command.pid, 'readlink', 'exe'));
    // Not for having ended.
    assert.equal(command.exitCode ?? command.signalCode, null, words.join(' '));
    assert.ok(!isRead(command.pid, 'cat', 'environ'), words.join(' '));
    const ended = once(command, 'exit');
    command.kill('SIGTERM');
    await ended;
  }
});

test('a plain user’s demo works as before', { skip: missing('setpriv'), timeout: 300_000 }, async (t) => {
  const argv = [process.execPath, '--disable-sigusr1', bundle, 'demo'];
  const plain = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const [program = '', ...args] = [...plain, ...argv];
  const child = spawn(program, args, { cwd: '/', env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (text) => (said += String(text)));
  await waitFor('the victim is healed', () => /Alarm cleared for demo-web/.test(said)).catch((error) => {
    throw new Error(`${String(error)}\n${said}`);
  });
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
