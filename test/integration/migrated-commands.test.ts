import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MigratedHost } from '../helpers/migrated-host.ts';
import { isAlive } from '../helpers/process-zoo.ts';

// What commands of the bash service's users do once their file is ours: cases C1 to C4 of the hosts that were visited, and their
// kinds. How they go through PID 1: system/inside/pid1-pgrep.ts and pid1-secrets.ts.

const options = { timeout: 300_000 };

test(
  `a command that kills the old one by its arguments and starts another does both, and its alarm is cleared (C1)`,
  options,
  async (t) => {
    const kill = (host: MigratedHost) => `pkill -f ${host.mark}/bin/report_server.py`;
    const start = (host: MigratedHost) => `nohup ${host.dir}/python3 ${host.dir}/bin/report_server.py >/dev/null 2>&1 &`;
    const host = new MigratedHost(
      t,
      ['report'],
      (host) => `[process.report]
restart_strategy = custom   # Use custom restart command
restart_command = ${kill(host)}; sleep 0.3; ${start(host)}
health_check_command = pgrep -f ${host.mark}/bin/report_server.py
health_check_timeout = 20   # Maximum time in seconds to wait for health check to pass
`,
    );
    const server = installServer(host);
    let old = await server.start();
    await host.start();
    for (const round of [1, 2]) {
      host.raise('report');
      await host.cleared('report');
      const running = host.matching(server.path);
      assert.equal(running.length, 1, `round ${round}: one runs`);
      assert.equal(isAlive(old), false, `round ${round}: the old one is dead`);
      old = running[0] ?? 0;
    }
  },
);

test(
  `a check that looks for a program by its arguments does not find itself, and finds the program (C2)`,
  options,
  async (t) => {
    const checks = (text: string): string[] => [
      `pgrep -f ${text}`,
      `pgrep -f ${text} >/dev/null && exit 0 || exit 1`,
      `ps aux | grep ${text} | grep -v grep`,
      `ps ax | grep '[${text.charAt(0)}]${text.slice(1)}'`,
      `test -n "$(pgrep -f ${text})"`,
      `if pgrep -f ${text} > /dev/null; then exit 0; else exit 1; fi`,
      `ps -eo args | grep -v grep | grep -q ${text}`,
      `[ $(ps aux | grep -v grep | grep -c ${text}) -gt 0 ]`,
      `bash -c 'pgrep -f "$0"' "${text.charAt(0)}[${text.charAt(1)}]${text.slice(2)}"`,
    ];
    const names = checks('x').map((_, i) => `check${i}`);
    // Each its own text: what one looks for stands in the arguments of the grep that it looks with.
    const textOf = (host: MigratedHost, name: string) => `${host.mark}/${name}_never_runs.py`;
    const host = new MigratedHost(t, names, (host) =>
      names
        .map(
          (name, i) => `[process.${name}]
restart_strategy = custom
restart_command = true
health_check_command = ${checks(textOf(host, name))[i]}
health_check_timeout = 3
restart_delay = 0
max_attempts = 1
`,
        )
        .join('\n'),
    );
    const daemon = await host.start();
    host.raise(...names);
    for (const name of names)
      await host.until(`${name} fails`, () => new RegExp(`Failed to restart ${name}:`).test(daemon.stdout()));
    for (const name of names) assert.equal(host.row(name).alarma, 1, name);

    for (const name of names) standIn(host, textOf(host, name));
    await host.until('all run', () => names.every((name) => host.matching(textOf(host, name)).length > 0));
    const reset = await host.cli('breaker', '--reset');
    assert.equal(reset.code, 0, reset.stderr);
    await host.cleared(...names);
  },
);

test(`what a command of a 0600 file holds, another user finds nowhere (C3)`, {
  ...options,
  skip: process.geteuid?.() !== 0 && 'needs root',
}, async (t) => {
  const wait = (host: MigratedHost, name: string) =>
    `touch ${host.dir}/${name}; until [ -e ${host.dir}/go ]; do sleep 0.05; done`;
  const secret = (what: string) => `TOP-SECRET-${what}-${process.pid}`;
  const host = new MigratedHost(
    t,
    ['hook', 'checked', 'kept'],
    (host) => `[process.hook]
restart_strategy = custom
pre_restart_command = : 'Bearer ${secret('before')}'; ${wait(host, 'before')}
restart_command = cat <<< 'header = "Authorization: Bearer ${secret('action')}"' >/dev/null; ${wait(host, 'action')}
[process.checked]
restart_strategy = custom
restart_command = true
health_check_command = PGPASSWORD=${secret('check')} sleep 0; ${wait(host, 'check')}
health_check_timeout = 60
[process.kept]
restart_strategy = process
start_command = export API_KEY=${secret('start')}; ${wait(host, 'start')}; exec ${host.dir}/kept 600
health_check_timeout = 60
`,
  );
  symlinkSync('/usr/bin/sleep', `${host.dir}/kept`);
  const careless = spawn('sh', ['-c', `: ${secret('careless')} ${host.mark}; read end; :`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.after(() => careless.kill('SIGKILL'));
  const daemon = await host.start();
  host.raise('hook', 'checked', 'kept');
  const seen: string[] = [];
  for (const name of ['before', 'check', 'start']) await host.until(name, () => existsSync(join(host.dir, name)));
  seen.push(seenByNobody());
  writeFileSync(join(host.dir, 'go'), '');
  await host.until('restart_command has begun', () => existsSync(join(host.dir, 'action')));
  seen.push(seenByNobody());
  for (const text of seen) {
    assert.match(text, /TOP-SECRET-careless-/, 'he does look');
    for (const what of ['before', 'action', 'check', 'start']) assert.equal(text.includes(secret(what)), false, what);
  }
  await host.cleared('hook', 'checked', 'kept');
  const told = daemon.stdout() + daemon.stderr() + readFileSync(join(host.dir, 'monitor.log'), 'utf8');
  assert.doesNotMatch(told, /TOP-SECRET/, 'nor is it told in the log');
});

test('what a program is given as an argument is in its own argument list alone (C3)', options, async (t) => {
  const secret = `TOP-SECRET-header-${process.pid}`;
  const host = new MigratedHost(
    t,
    ['hook'],
    ({ dir }) => `[process.hook]
restart_strategy = custom
restart_command = ${dir}/curl -sS -H 'Authorization: Bearer ${secret}' http://127.0.0.1/restart
`,
  );
  // A shell that forks has, until the child's execve(), a child of the same argument list: this one waits without forking.
  execFileSync('mkfifo', [join(host.dir, 'go')]);
  const script = `#!/bin/sh\n: > ${host.dir}/asked\nread go < ${host.dir}/go\n`;
  writeFileSync(join(host.dir, 'curl'), script, { mode: 0o755 });
  await host.start();
  host.raise('hook');
  await host.until('it has begun', () => existsSync(join(host.dir, 'asked')));
  const [pid, ...others] = host.matching(secret);
  assert(pid !== undefined, 'it is seen itself');
  assert.deepEqual(others, [], 'no shell and nobody else holds it');
  const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, 3);
  assert.deepEqual(argv, ['/bin/sh', `${host.dir}/curl`, '-sS']);
  if (process.geteuid?.() === 0) assert.equal(seenByNobody('units').includes(secret), false, 'nor a unit');
  writeFileSync(join(host.dir, 'go'), 'go\n', { flag: 'r+' });
  await host.cleared('hook');
});

test(
  `%s is put into a date's format as the bash service did, and a warning says so; %%s is what date sees (C4)`,
  options,
  async (t) => {
    const host = new MigratedHost(t, ['stamped', 'meant', 'kept as is', 'stale', 'really stale', 'fresh'], (host) => {
      const age = (second: string, file: string) => `test $(( $(date +${second}) - $(stat -c %Y ${host.dir}/${file}) )) -lt 60`;
      const section = (name: string, restart: string, check = '') => `[process.${name}]
restart_strategy = custom
restart_command = ${restart}
health_check_command = ${check}
health_check_timeout = 1
max_attempts = 1
`;
      return [
        section('stamped', `date +%s >> ${host.dir}/stamped`),
        section('meant', `date +%%s >> ${host.dir}/meant`),
        section('kept as is', `f=a.b.c; echo "\${f%%.*} \${f%.*} $(date +%%Y) %%s %%%s 100%" >> ${host.dir}/kept`),
        section('stale', 'true', age('%s', 'old')),
        section('really stale', 'true', age('%%s', 'old')),
        section('fresh', 'true', age('%%s', 'new')),
      ].join('');
    });
    for (const name of ['old', 'new']) writeFileSync(join(host.dir, name), '');
    const past = Date.now() / 1000 - 7200;
    utimesSync(join(host.dir, 'old'), past, past);

    const text = readFileSync(host.file, 'utf8').split('\n');
    const lineOf = (part: string) => text.findIndex((line) => line.includes(part)) + 1;
    const told = [
      `${host.file}:${lineOf('date +%s >>')}: [process.stamped] restart_command: %s becomes the process's name in date +%s as well`,
      `${host.file}:${lineOf('(date +%s)')}: [process.stale] health_check_command: %s becomes the process's name in date +%s as well`,
    ];
    const checked = await host.cli('check-config');
    assert.deepEqual(
      checked.stderr.split('\n').map((line) => line.replace(/ as well; .*/, ' as well')),
      [...told, ''],
    );
    assert.match(checked.stderr, /as well; write %%s if the program is to see %s \(date \+%%s\) \(warning\)\n/);

    const daemon = await host.start();
    const warned = () =>
      daemon
        .stdout()
        .split('\n')
        .filter((line) => line.includes('[WARNING]') && line.includes('date +%s'));
    await host.until('both are told at the start', () => warned().length === 2);
    for (const [i, line] of warned().entries()) assert(line.includes(told[i] ?? assert.fail()), line);
    const reloaded = await host.cli('reload');
    for (const line of told) assert((reloaded.stdout + reloaded.stderr).includes(line), reloaded.stdout + reloaded.stderr);
    assert.equal(warned().length, 4, 'and at a reload');

    host.raise('stamped', 'meant', 'kept as is', 'stale', 'really stale', 'fresh');
    await host.cleared('stamped', 'meant', 'kept as is', 'stale', 'fresh');
    assert.equal(readFileSync(join(host.dir, 'stamped'), 'utf8'), 'stamped\n');
    assert.match(readFileSync(join(host.dir, 'meant'), 'utf8'), /^\d{10,}\n$/);
    assert.equal(readFileSync(join(host.dir, 'kept'), 'utf8'), 'a a.b %Y %s %%s 100%\n');
    await host.until('a stale one fails', () => /Failed to restart really stale:/.test(daemon.stdout()));
    assert.equal(host.row('really stale').alarma, 1);

    const shown = await host.cli('match', 'stale');
    assert.match(
      shown.stdout,
      /^ {2}would check: health_check_command: test \$\(\( \$\(date \+stale\) - .*\n +tried for 1 s, %s is stale$/m,
    );
    const meant = await host.cli('match', 'really stale');
    assert.match(meant.stdout, /^ {2}would check: health_check_command: test \$\(\( \$\(date \+%s\) - .*\n +tried for 1 s$/m);
    assert.equal(meant.code, 0);
  },
);

interface ReportServer {
  readonly path: string;
  /** Starts it as an operator does; its pid. */
  start(): Promise<number>;
}

function installServer(host: MigratedHost): ReportServer {
  mkdirSync(join(host.dir, 'bin'));
  // In the place of an interpreter that not every machine has.
  symlinkSync('/bin/sh', join(host.dir, 'python3'));
  const path = join(host.dir, 'bin/report_server.py');
  writeFileSync(path, 'while :; do sleep 0.2; done\n');
  const start = async () => {
    spawn(join(host.dir, 'python3'), [path], { stdio: 'ignore', detached: true }).unref();
    return host.until('the server', () => host.matching(path)[0]);
  };
  return { path, start };
}

/** A program of that command line. */
function standIn(host: MigratedHost, text: string): void {
  spawn('sleep', ['600'], { argv0: `/srv/${text}`, stdio: 'ignore', detached: true, cwd: host.dir }).unref();
}

/** What a user who is nobody finds out about who else runs here; with `units` about units alone. */
function seenByNobody(what: 'all' | 'units' = 'all'): string {
  const processes = ["cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ /proc/[0-9]*/comm | tr '\\0' ' '", 'ps auxwwe; ps -eLfww'];
  const look = [
    ...(what === 'all' ? processes : []),
    'echo looked',
    "systemctl show '*'; systemctl show --all 'monitor_service-*'; systemctl show 'monitor_service-run-*' -p ExecStart",
    "systemctl cat 'monitor_service-*'; journalctl --no-pager --all",
  ];
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
  const argv = [...nobody, 'sh', '-c', `{ ${look.join('; ')}; } 2>/dev/null; :`];
  return execFileSync('setpriv', argv, { encoding: 'latin1', maxBuffer: 512 * 1024 * 1024 });
}
