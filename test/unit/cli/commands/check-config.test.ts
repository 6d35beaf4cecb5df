import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cliBackends } from '../../../../src/app/cli-backends.ts';
import { runCommand } from '../../../helpers/cli-world.ts';
import { assertGolden } from '../../../helpers/golden.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { openSqliteAlarms } from '../../../helpers/sqlite-alarms.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/check-config');
const { checkConfig } = cliBackends;

/** A configuration of these sections beside those that name folders of the test's own. */
function world(t: TestContext) {
  const dir = tempDir(t);
  const file = join(dir, 'config.ini');
  const write = (text: string): void => writeFileSync(file, text.replaceAll('DIR', dir), { mode: 0o600 });
  const check = async (args: readonly string[] = [], options: Parameters<typeof runCommand>[1] = {}) => {
    const run = await runCommand(['check-config', '--config', file, ...args], { backends: { checkConfig }, ...options });
    return { ...run, stdout: run.stdout.replaceAll(dir, 'DIR'), stderr: run.stderr.replaceAll(dir, 'DIR') };
  };
  return { dir, write, check };
}

const GENERAL =
  '[database]\ndriver = sqlite\npath = DIR/a.db\n[monitor]\nonly_configured = true\nstate_dir = DIR/state\n[logging]\nfile =\n[control]\nsocket = DIR/s\n';

for (const columns of [80, 120]) {
  test(`problems have the same form in ${columns} columns as always: one line each, which editors read`, async (t) => {
    const { write, check } = world(t);
    write(readFileSync(join(fixtures, 'config.ini'), 'utf8'));
    for (const [name, env] of [
      ['plain', { NO_COLOR: '1' }],
      ['colour', { FORCE_COLOR: '1' }],
    ] as const) {
      const { code, stdout, stderr } = await check([], { env, terminal: [columns, 24] });
      assertGolden(`check-config/${name}.txt`, `${stderr}${stdout}`);
      assert.equal(code, 78);
    }
  });
}

test('a file without a problem is in order; with a warning it is not, and with --strict that is 78', async (t) => {
  const { write, check } = world(t);
  write(`${GENERAL}[process.a]\nrestart_command = true\n`);
  for (const args of [[], ['--strict']]) {
    const { code, stdout, stderr } = await check(args);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /\nDIR\/config\.ini is in order: 1 configured process\n$/);
  }
  write(`${GENERAL}[process.a]\nrestart_command = true\nfoo = 1\n`);
  for (const [args, expected] of [
    [[], 0],
    [['--strict'], 78],
  ] as const) {
    const { code, stdout, stderr } = await check(args);
    assert.deepEqual([code, stderr], [expected, 'DIR/config.ini:13: [process.a] foo: unknown key, ignored (warning)\n']);
    assert.match(stdout, /\nDIR\/config\.ini: 0 errors, 1 warning; 1 configured process\n$/);
    assert.doesNotMatch(stdout, /in order/);
  }
});

test('two sections of one program are named, though nothing of it has been seen', async (t) => {
  const { dir, write, check } = world(t);
  mkdirSync(join(dir, 'bin'));
  symlinkSync('bin', join(dir, 'sbin'));
  writeFileSync(join(dir, 'bin/appd'), '', { mode: 0o755 });
  const section = (name: string, folder: string): string =>
    `[process.${name}]\nrestart_strategy = process\nsystem_name = DIR/${folder}/appd\nstart_command = true\n`;
  write(GENERAL + section('one', 'bin') + section('two', 'sbin'));
  assert.match((await check()).stderr, /: \[process\.two\] system_name: is the same as \[process\.one\] .*\(warning\)\n/);
});

test('--json has the counts, and the refused processes', async (t) => {
  const { write, check } = world(t);
  const many = Array.from({ length: 300 }, (_, i) => `foo${i} = 1\n`).join('');
  write(
    `${GENERAL}[process.a]\nrestart_command = true\n${many}[process.b]\nmax_attempts = 0\n[process.c]\nrestart_command = true\n`,
  );
  const { code, stdout } = await check(['--json']);
  const { errors, warnings, usable, refused, processNames, problems } = JSON.parse(stdout);
  assert.deepEqual([code, errors, warnings, usable, refused], [78, 1, 300, true, ['b']]);
  assert.deepEqual(processNames, ['a', 'b', 'c']);
  assert.equal(problems.at(-1).problem, 'and 100 more warnings');
  write(`${GENERAL}[process.default]\nmax_attempts = 0\n[process.c]\n`);
  const fatal = JSON.parse((await check(['--json'])).stdout);
  assert.deepEqual([fatal.errors, fatal.usable, fatal.processNames, fatal.refused], [1, false, [], []]);
});

test('what a section names and does not exist is a warning with its line; what exists, or is not known, is not', async (t) => {
  const { dir, write, check } = world(t);
  mkdirSync(join(dir, 'there'));
  const told = async (keys: string, more = ''): Promise<string[]> => {
    write(`${GENERAL}${more}[process.other]\nrestart_command = true\n[process.a]\n${keys}\n`);
    return (await check()).stderr.trim().split('\n').filter(Boolean);
  };
  for (const keys of [
    'start_command = exec sleep 1',
    'restart_command = if [ -x /no/such ]; then /no/such; fi',
    'restart_command = true\nhealth_check_command = $CHECK',
    'restart_command = true\ndepends_on = other',
    `start_command = sleep 1\npid_file = DIR/there/a.pid`,
    'start_command = sleep 1\npid_file = /run/not-made-yet/a.pid',
    // Not used.
    'restart_command = true\nstart_command = /no/such',
  ])
    assert.deepEqual(
      (await told(keys)).filter((line) => !line.includes('has no effect')),
      [],
      keys,
    );
  const at = (line: number, key: string) => `DIR/config.ini:${line}: [process.a] ${key}: `;
  for (const [keys, expected] of [
    [
      'start_command = sleep 1\nuser = nobodyhere',
      `${at(15, 'user')}nothing of it is restarted as long as there is no user nobodyhere; its STATE shows that only once it is in alarm`,
    ],
    ['start_command = exec /no/such', `${at(14, 'start_command')}"/no/such" is not there (expected a program)`],
    ['restart_command = /no/such %s', `${at(14, 'restart_command')}"/no/such" is not there (expected a program)`],
    [
      'restart_command = true\npre_restart_command = /no/pre',
      `${at(15, 'pre_restart_command')}"/no/pre" is not there (expected a program)`,
    ],
    [
      'restart_command = true\nhealth_check_command = /etc/passwd',
      `${at(15, 'health_check_command')}"/etc/passwd" cannot be executed (expected a program, got mode 0644)`,
    ],
    [
      'start_command = sleep 1\nstop_command = /no/%s/stop',
      `${at(15, 'stop_command')}"/no/a/stop" is not there (expected a program)`,
    ],
    ['start_command = sleep 1\npid_file = /no/such/a.pid', `${at(15, 'pid_file')}"/no/such" is not there (expected a folder)`],
    [
      'restart_command = true\ndepends_on = nosuch',
      `${at(15, 'depends_on')}"nosuch" has no section; whether PROCESE has it is not known without --database`,
    ],
    [
      'restart_command = true\ndepends_on = othre',
      `${at(15, 'depends_on')}"othre" has no section (did you mean other?); whether PROCESE has it is not known without --database`,
    ],
    ['restart_command = true\ndepends_on = Other', `${at(15, 'depends_on')}Other has no section (did you mean other?)`],
  ] as const)
    assert.deepEqual(await told(keys), [`${expected} (warning)`], keys);
  for (const [written, shown, meant] of [
    ["'other', x", `"'other'"`, 'other'],
    ['process.other', '"process.other"', 'other'],
    ['[process.other]', '"[process.other]"', 'other'],
    ['other third', '"other third"', 'other, third'],
    ['third-one', '"third-one"', 'third'],
    ['billing', '"billing"', undefined],
    ['web-frontent', '"web-frontent"', 'web frontend'],
  ] as const) {
    const [line] = await told(
      `restart_command = true\ndepends_on = ${written}`,
      '[process.third]\nrestart_command = true\n[process.web frontend]\nrestart_command = true\n',
    );
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
    assert.ok(line?.includes(`depends_on: ${shown} has no section${hint}; whether PROCESE has it is not known`), line);
  }
  // What all inherit is told once, where it stands.
  assert.deepEqual(await told('restart_command = true', '[process.default]\nhealth_check_command = /no/check\n'), [
    'DIR/config.ini:12: [process.default] health_check_command: "/no/check" is not there (expected a program) (warning)',
  ]);
});

test('with --database a name that a section depends on is known by its row too; a login or server that fails keeps its code', async (t) => {
  const { dir, write, check } = world(t);
  openSqliteAlarms(join(dir, 'a.db'), ['a', 'only in the database']).close();
  write(`${GENERAL}[process.a]\nrestart_command = true\ndepends_on = nosuch, only in the database\n`);
  const { code, stderr } = await check(['--database']);
  assert.equal(code, 0);
  assert.match(
    stderr,
    /config\.ini:13: \[process\.a\] depends_on: "nosuch" has neither a section nor a row in the database \(warning\)\n/,
  );
  assert.doesNotMatch(stderr, /only in/);
  const away = `[database]\nhost = 127.0.0.1:1\nconnect_timeout = 1\n${GENERAL.slice(GENERAL.indexOf('[monitor]'))}`;
  write(`${away}[process.a]\nrestart_command = true\n`);
  assert.equal((await check(['--database'])).code, 69);
});

test('a file that a key names and that cannot be read is reported as other problems are', async (t) => {
  const { write, check } = world(t);
  const rest = GENERAL.slice(GENERAL.indexOf('[monitor]'));
  write(`[database]\nhost = 127.0.0.1\npassword_file = /no/such/password\nssl = verify\nssl_ca = /etc\n${rest}`);
  const { code, stderr } = await check();
  assert.equal(code, 78);
  assert.deepEqual(stderr.split('\n').slice(0, 2), [
    'DIR/config.ini:3: [database] password_file: cannot read "/no/such/password", expected a regular file of at most 1 MiB: there is no such file',
    'DIR/config.ini:5: [database] ssl_ca: cannot read "/etc", expected a regular file of at most 1 MiB: it is not a regular file',
  ]);
});

test('what the database has that somebody should look at counts as a warning, at its section', async (t) => {
  const { dir, write, check } = world(t);
  const alarms = openSqliteAlarms(join(dir, 'a.db'), ['a', 'Watched', 'u\u200bnseen', 'nginx', 'custom1', 'b1']);
  t.after(() => alarms.close());
  write(
    `${GENERAL}[process.a]\nrestart_command = true\n[process.gone]\nrestart_command = true\n[process.watched]\nrestart_command = true\nwatch_exit = true\n[process.ngnix]\nrestart_command = true\nensure_running = true\n[process.custm1]\nrestart_command = true\n[process.b1]\nrestart_command = true\n[process.b2]\nrestart_command = true\n`,
  );
  const { code, stdout, stderr } = await check(['--database', '--strict']);
  assert.equal(code, 78);
  assert.deepEqual(stderr.trim().split('\n'), [
    'DIR/config.ini:1: [database] "u\\u200bnseen" holds U+200B, which is invisible: it is another name than it looks like, and cannot stand for %s (warning)',
    'DIR/config.ini:13: [process.gone] matches no row of the database: it is never in alarm (warning)',
    'DIR/config.ini:15: [process.watched] matches no row of the database: only its own exits raise an alarm, which the daemon keeps (warning)',
    'DIR/config.ini:15: [process.watched] does not apply to "Watched", which differs from its name by blanks, letter case or how accents are written (warning)',
    'DIR/config.ini:18: [process.ngnix] matches no row of the database: only its own exits raise an alarm, which the daemon keeps (did you mean nginx?) (warning)',
    'DIR/config.ini:21: [process.custm1] matches no row of the database: it is never in alarm (did you mean custom1?) (warning)',
    // That row has a section of its own.
    'DIR/config.ini:25: [process.b2] matches no row of the database: it is never in alarm (warning)',
  ]);
  assert.match(stdout, /\nDIR\/config\.ini: 0 errors, 7 warnings; 7 configured processes\n$/);
});

test('a missing database, or one without tables, is reported as that and not created; the last line says that it could not be checked', async (t) => {
  const { dir, write, check } = world(t);
  write(`${GENERAL}[process.a]\nrestart_command = true\ndepends_on = nosuch\n`);
  const missing = await check(['--database']);
  assert.equal(missing.code, 69);
  assert.deepEqual(missing.stderr.trim().split('\n'), [
    'DIR/config.ini:13: [process.a] depends_on: "nosuch" has no section; whether PROCESE has it is not known, because the database did not answer (warning)',
    'monitor_service: sqlite DIR/a.db: there is no such file (the daemon creates it when it starts)',
  ]);
  assert.deepEqual(readdirSync(dir), ['config.ini']);
  assert.match(
    missing.stdout,
    /\nDIR\/config\.ini: 0 errors, 1 warning; the database could not be checked; 1 configured process\n$/,
  );
  write(`${GENERAL}[process.a]\nrestart_command = true\n`);
  writeFileSync(join(dir, 'a.db'), '');
  const empty = await check(['--database', '--strict']);
  assert.equal(empty.code, 69);
  assert.equal(
    empty.stderr,
    'monitor_service: sqlite DIR/a.db: there is no table PROCESE (the daemon creates it when it starts)\n',
  );
  assert.match(
    empty.stdout,
    /\nDIR\/config\.ini: 0 errors, 0 warnings; the database could not be checked; 1 configured process\n$/,
  );
  assert.equal(readFileSync(join(dir, 'a.db'), 'utf8'), '');
  assert.deepEqual(readdirSync(dir).toSorted(), ['a.db', 'config.ini']);
  // One that is there is only looked at, also under a name that means something in a URL.
  openSqliteAlarms(join(dir, 'b?c#d%20.db'), ['a']).close();
  write(`${GENERAL.replace('a.db', 'b?c#d%20.db')}[process.a]\nrestart_command = true\n`);
  const before = readFileSync(join(dir, 'b?c#d%20.db'));
  const there = await check(['--database']);
  assert.deepEqual([there.code, there.stderr], [0, '']);
  assert.match(there.stdout, /in order/);
  assert.deepEqual(readFileSync(join(dir, 'b?c#d%20.db')), before);
});

test('the folder of a database is not checked if the daemon or its unit creates it', async (t) => {
  const { write, check } = world(t);
  const told = async (path: string, stateDir: string): Promise<string> => {
    write(GENERAL.replace('DIR/a.db', path).replace('DIR/state', stateDir));
    return (await check()).stderr;
  };
  assert.equal(await told('DIR/state/a.db', 'DIR/state'), '');
  assert.equal(await told('DIR/srv/a.db', 'DIR/srv/state'), '');
  assert.equal(await told('/var/lib/monitor_service/a.db', 'DIR/state'), '');
  assert.equal(
    await told('DIR/stat/a.db', 'DIR/state'),
    'DIR/config.ini:3: [database] path: "DIR/stat" is not there (expected a folder) (warning)\n',
  );
});

test('errors of other sections hide no warning of what is not there', async (t) => {
  const { write, check } = world(t);
  write(
    `${GENERAL.replace('file =', 'file =\nmax_log_size = big\ngroup = no-such-group')}[monitor]\ncheck_interval = soon\n[process.a]\nrestart_strategy = process\nstart_command = /no/such\nuser = no-such-user\n`,
  );
  const { code, stderr, stdout } = await check();
  assert.equal(code, 78);
  assert.deepEqual(
    stderr.split('\n').map((line) => line.replace(/^DIR\/config\.ini:\d+: /, '')),
    [
      '[logging] max_log_size: invalid value "big", expected a whole number (1 to 10485760)',
      "[logging] group: there is no group no-such-group (expected a group of /etc/group, or a number): the daemon's own group is used (warning)",
      '[monitor] the section is repeated (first in line 4); both are read as one (warning)',
      '[monitor] check_interval: invalid value "soon", expected seconds (0.1 to 2147483)',
      '[process.a] start_command: "/no/such" is not there (expected a program) (warning)',
      '[process.a] user: nothing of it is restarted as long as there is no user no-such-user; its STATE shows that only once it is in alarm (warning)',
      'monitor_service: DIR/config.ini cannot be used: 2 errors, 4 warnings',
      '',
    ],
  );
  assert.equal(stdout, '');
  // What is wrong with a value already is not told twice, be it inherited.
  write(
    `${GENERAL}[process.default]\nuser = no such user\npid_file = /no/such/a.pid\n[process.a]\nrestart_strategy = process\n`,
  );
  assert.deepEqual(
    (await check()).stderr
      .match(/(?<=\] )(?:user|pid_file): .*/g)
      ?.map((line) => line.replace(/(?<=invalid value|one program).*/, '')),
    ['user: invalid value', 'pid_file: belongs to one program'],
  );
});

test('a path instead of a name is reported with what was expected', async (t) => {
  const { write, check } = world(t);
  const told = async (keys: string): Promise<string | undefined> => {
    write(`${GENERAL}[process.a]\n${keys}\n`);
    return (await check()).stderr
      .split('\n')
      .find((line) => line.includes('system_name: '))
      ?.replace(/^.*?system_name: /, '');
  };
  assert.equal(
    await told('restart_strategy = service\nsystem_name = /usr/sbin/nosuch'),
    `cannot be used: "/usr/sbin/nosuch" is a path, not a unit's name (expected a service's name, such as nginx or app@1)`,
  );
  assert.equal(
    await told('restart_strategy = auto\nstart_command = sleep 1\nsystem_name = /usr/sbin/nosuch'),
    `"/usr/sbin/nosuch" is not there (expected a program's full path, or its name or a unit's) (warning)`,
  );
  assert.equal(
    await told('restart_strategy = process\nstart_command = sleep 1\nsystem_name = /usr/sbin'),
    `"/usr/sbin" is a folder (expected a program's full path, or its name) (warning)`,
  );
  assert.equal(
    await told('restart_strategy = process\nstart_command = sleep 1\nsystem_name = sbin/nosuch'),
    `"sbin/nosuch" is neither a program's name nor its full path (warning)`,
  );
  assert.equal(await told(`restart_strategy = process\nstart_command = sleep 1\nsystem_name = ${process.execPath}`), undefined);
  assert.equal(
    await told('restart_strategy = process\nstart_command = sleep 1\npid_file = /run/a.pid\nsystem_name = /no/such'),
    undefined,
  );
});

test('for a program that is started as a daemon with a pid file the hint is that file, and with it there is nothing to report', async (t) => {
  const { write, check } = world(t);
  const told = async (more: string): Promise<string[]> => {
    write(
      `${GENERAL}[process.ledger]\nrestart_strategy = process\nstart_command = start-stop-daemon -Sbmp /run/l.pid -x /bin/sleep -- 9\n${more}`,
    );
    // Not every machine has it.
    return (await check()).stderr.split('\n').filter((line) => line !== '' && !line.includes('is not found'));
  };
  const [line = '', ...others] = await told('');
  assert.match(line, /^DIR\/config\.ini:13: \[process\.ledger\] start_command: starts .* \(set (.*)\) \(warning\)$/);
  assert.deepEqual(others, []);
  const hint = /\(set (.*?)\)/.exec(line)?.[1] ?? '';
  assert.equal(hint, 'pid_file = /run/l.pid');
  assert.deepEqual(await told(`${hint}\n`), []);
});

test(
  'folders within the reach of others are reported; in a sticky one a socket is accepted if nobody else was there first',
  asRoot,
  async (t) => {
    const { dir, write, check } = world(t);
    const joes = join(dir, 'joes');
    mkdirSync(join(joes, 'run'), { recursive: true });
    chownSync(joes, 4711, 0);
    write(
      '[database]\ndriver = sqlite\npath = DIR/a.db\n[monitor]\nstate_dir = DIR/joes/state\n[logging]\nfile = DIR/joes/run/log\n' +
        '[events]\nsocket = DIR/joes/run/e\n[control]\nsocket = DIR/s\n',
    );
    const why = 'DIR/joes belongs to user 4711, mode 0755';
    const warned = await check();
    for (const [section, key, so] of [
      ['monitor', 'state_dir', 'it is not used'],
      ['logging', 'file', 'it is not written'],
      ['events', 'socket', 'nobody listens there'],
    ])
      assert.match(
        warned.stderr,
        new RegExp(`\\[${section}\\] ${key}: is within the reach of others, so ${so}: ${why}.*\\(warning\\)\n`),
      );
    assert.equal(warned.code, 0);
    for (const [mode, owner] of [
      [0o755, 4711],
      [0o775, 0],
      [0o777, 0],
    ] as const) {
      chownSync(joes, owner, 0);
      chmodSync(joes, mode);
      write(GENERAL.replace('socket = DIR/s', 'socket = DIR/joes/run/s'));
      const { code, stderr } = await check();
      assert.equal(code, 0);
      assert.match(
        stderr,
        /\[control\] socket: is within the reach of others, so the daemon does not start: .*joes.*, mode 07.*\(warning\)\n/,
      );
    }
    chmodSync(joes, 0o1777);
    write(GENERAL.replace('socket = DIR/s', 'socket = DIR/joes/s'));
    assert.match(
      (await check()).stderr,
      /\[control\] socket: .*, so the daemon does not start if another user was there first: others may write to .*joes.* mode 1777/,
    );
  },
);

test('each fault of a command is reported once: a name that it cannot use, no right to execute, what no shell can read', async (t) => {
  const { dir, write, check } = world(t);
  writeFileSync(join(dir, 'x.sh'), '#!/bin/sh\n', { mode: 0o644 });
  const restart = (name: string, command: string) => `[process.${name}]\nrestart_command = ${command}\n`;
  write(
    GENERAL +
      restart('web front', 'pkill %s') +
      restart('a', 'DIR/x.sh %s') +
      restart('b', 'nice -n 5 DIR/x.sh') +
      restart('c', "pkill 'c") +
      restart('d', 'nosuch --version >/dev/null 2>&1 && nosuch reload; true') +
      restart('e', '. /no/such/e 2>/dev/null; true'),
  );
  const { stderr } = await check();
  const at = (line: number, name: string) => `DIR/config.ini:${line}: [process.${name}] restart_command: `;
  const cannot = '"DIR/x.sh" cannot be executed (expected a program, got mode 0644) (warning)';
  assert.deepEqual(stderr.trim().split('\n'), [
    `${at(12, 'web front')}will be refused: the name "web front" cannot stand for %s in a command: set system_name, or use "$MONITOR_PROCESS_NAME" instead of %s (warning)`,
    `${at(14, 'a')}${cannot}`,
    `${at(16, 'b')}${cannot}`,
    `${at(18, 'c')}cannot be read by a shell (expected a closing ', got the end of the command) (warning)`,
  ]);
});
