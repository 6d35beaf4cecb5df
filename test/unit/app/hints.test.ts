import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readSettings } from '../../../src/app/settings.ts';
import { ConfigError, type ConfigProblem } from '../../../src/core/errors.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** Reads whole configurations: a database, and what a test adds in front of it. */
function reader(t: TestContext): (text: string) => readonly ConfigProblem[] {
  const dir = tempDir(t);
  const file = join(dir, 'config.ini');
  return (text) => {
    writeFileSync(file, `${text}[database]\ndriver = sqlite\npath = ${dir}/a.db\n`, { mode: 0o600 });
    try {
      return readSettings(file).problems;
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.problems;
    }
  };
}

const hintIn = (problem: string | undefined): string | undefined => /did you mean (.+?)\?(?:\)|$)/.exec(problem ?? '')?.[1];

/** Values that fit, for keys that not every value fits. */
const VALUES: Readonly<Record<string, string>> = {
  health_check_url: 'http://localhost/',
  health_check_status: '200',
  restart_strategy: 'process',
  use_backoff: 'true',
  watch_exit: 'true',
  any_user: 'true',
  ensure_running: 'true',
  pid_file: '/run/a.pid',
  stop_signal: 'TERM',
  level: 'info',
  state_dir: '/var/lib/x',
  file: '/var/log/x.log',
  socket: '/run/x/s',
};

test('of a key the nearest of that kind of section is named, and holds as it is written', (t) => {
  const read = reader(t);
  const sections: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'process.a': {
      health_check_cmd: 'health_check_command',
      health_cmd: 'health_check_command',
      healthcheck_command: 'health_check_command',
      HEALTH_CHECK_COMMAND: 'health_check_command',
      'health-check-command': 'health_check_command',
      health_check_uri: 'health_check_url',
      health_check_timout: 'health_check_timeout',
      heath_check_timeout: 'health_check_timeout',
      health_check_tmo: 'health_check_timeout',
      health_check_status_code: 'health_check_status',
      restart_cmd: 'restart_command',
      start_cmd: 'start_command',
      stop_cmd: 'stop_command',
      pre_restart_cmd: 'pre_restart_command',
      cmd_timeout: 'command_timeout',
      command_tmo: 'command_timeout',
      maximum_attempts: 'max_attempts',
      max_retries: 'max_attempts',
      attempts_max: 'max_attempts',
      restart_dealy: 'restart_delay',
      restart_delay_secs: 'restart_delay',
      pidfile: 'pid_file',
      depends: 'depends_on',
      dependencies: 'depends_on',
      dependson: 'depends_on',
      restart_strat: 'restart_strategy',
      stop_sig: 'stop_signal',
      watchexit: 'watch_exit',
      use_back_off: 'use_backoff',
      username: 'user',
      args: 'argument',
      prio: 'priority',
      sys_name: 'system_name',
    },
    monitor: { check_intervall: 'check_interval', interval: 'check_interval', statedir: 'state_dir' },
    logging: { logfile: 'file', log_level: 'level', max_size: 'max_log_size' },
    control: { socket_path: 'socket', grp: 'group' },
    host: { hostname: 'name', id: 'host_id' },
  };
  for (const [section, keys] of Object.entries(sections)) {
    for (const [key, meant] of Object.entries(keys)) {
      const value = VALUES[meant] ?? '10';
      const hint = hintIn(read(`[${section}]\n${key} = ${value}\n`).find((problem) => problem.key === key)?.problem);
      assert.equal(hint, meant, key);
      assert.deepEqual(
        read(`[${section}]\n${hint} = ${value}\n`).filter((problem) => problem.line === 2),
        [],
        key,
      );
    }
  }
});

test('if no key is near, or two are, none is named; a key of another section is named as that', (t) => {
  const read = reader(t);
  for (const key of ['delay', 'timeout', 'backoff', 'health_check_port', 'foo', 'x', 'k'.repeat(5000)])
    assert.deepEqual(
      read(`[process.a]\n${key} = 1\n`).map(({ problem }) => problem),
      ['unknown key, ignored'],
      key,
    );
  const told = (section: string, key: string) => read(`[${section}]\n${key} = 1\n`).map(({ problem }) => problem);
  assert.deepEqual(told('process.a', 'check_interval'), ['unknown key, ignored (it is a key of [monitor])']);
  assert.deepEqual(told('process.a', 'check_intervall'), [
    'unknown key, ignored (did you mean check_interval, a key of [monitor]?)',
  ]);
  assert.deepEqual(told('process.a', 'path'), ['unknown key, ignored (it is a key of [database])']);
  assert.deepEqual(told('process.a', 'socket'), ['unknown key, ignored (it is a key of [database], [control] and [events])']);
  assert.deepEqual(told('monitor', 'group'), ['unknown key, ignored (it is a key of [logging] and [control])']);
  assert.deepEqual(told('monitor', 'max_attempts'), ['unknown key, ignored (it is a key of [process.NAME])']);
});

test('of a section the one that was meant is named, as it must be written', (t) => {
  const read = reader(t);
  for (const [header, meant] of Object.entries({
    'process x': '[process.x]',
    'process:x': '[process.x]',
    'Process.x': '[process.x]',
    'PROCESS.x': '[process.x]',
    'proces.x': '[process.x]',
    'process/x': '[process.x]',
    'process-x': '[process.x]',
    process_x: '[process.x]',
    'processes.x': '[process.x]',
    'process . x': '[process.x]',
    'process:my app': '[process.my app]',
    'program:x': '[process.x]',
    'service:x': '[process.x]',
    'unit.x': '[process.x]',
    x: '[process.x]',
    'nginx@1': '[process.nginx@1]',
    http_server: '[process.http_server]',
    databse: '[database]',
    Database: '[database]',
    monitr: '[monitor]',
    log: '[logging]',
    event: '[events]',
    default: '[process.default]',
    'process:default': '[process.default]',
  })) {
    const [problem] = read(`[${header}]\n`);
    assert.equal(hintIn(problem?.problem), meant, header);
    // Without its key [database] says nothing.
    if (meant !== '[database]') assert.deepEqual(read(`${meant}\n`), [], header);
  }
  for (const header of ['process', 'processes', 'Process:', 'x'.repeat(500)])
    assert.equal(read(`[${header}]\n`)[0]?.problem, "unknown section, ignored (a process's section is called [process.NAME])");
});

test('of a value that is to be chosen the nearest is named', (t) => {
  const read = reader(t);
  const told = (key: string, value: string, section = 'process.a'): string | undefined =>
    hintIn(read(`[${section}]\n${key} = ${value}\n`).find((problem) => problem.key === key)?.problem);
  for (const [value, meant] of Object.entries({ sevice: 'service', systemd: 'service', unit: 'service', proces: 'process' }))
    assert.equal(told('restart_strategy', value), meant, value);
  assert.equal(told('restart_strategy', 'reboot'), undefined);
  assert.equal(told('mode', 'observ', 'monitor'), 'observe');
  for (const [value, meant] of Object.entries({
    SIGTREM: 'TERM',
    TREM: 'TERM',
    kil: 'KILL',
    'sig-quit': 'QUIT',
    USR: undefined,
  }))
    assert.equal(told('stop_signal', value), meant, value);
  for (const [value, meant] of Object.entries({ exce: 'exec', 'exit, frok': 'fork', coredumps: 'coredump', all: undefined }))
    assert.equal(told('events', value, 'events'), meant, value);
  for (const [value, meant] of Object.entries({ yse: 'yes', offf: 'off', True: undefined }))
    assert.equal(told('watch_exit', value), meant);
  assert.equal(told('watch_exit', 'ture'), 'true');
  assert.equal(told('watch_exit', 'maybe'), undefined);
});

test('a process whose section is nearly that of all is asked about', (t) => {
  const read = reader(t);
  for (const name of ['defualt', 'Default', 'DEFAULT', 'defaults', 'defalt', 'deafult'])
    assert.deepEqual(
      read(`[process.${name}]\n`).map(({ severity, line, section, key, problem }) => [severity, line, section, key, problem]),
      [['warning', 1, `process.${name}`, '', 'holds for a process of that name only (did you mean [process.default]?)']],
    );
  for (const name of ['default', 'nginx', 'default-web-server', 'fault'])
    assert.deepEqual(read(`[process.${name}]\n`), [], name);
});

test('what is odd about the form of a file hides no hint, and is reported as what it is', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'config.ini');
  const told = (text: string): string[] => {
    writeFileSync(file, text.replaceAll('DIR', dir), { mode: 0o600 });
    let problems: readonly ConfigProblem[];
    try {
      ({ problems } = readSettings(file));
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      ({ problems } = error);
    }
    return problems.map(({ line, section, key, problem }) => `${line} ${section} ${key}: ${problem}`);
  };
  const whole = '[database]\ndriver = sqlite\npath = DIR/a.db\n';
  const lines = (...more: readonly string[]): string => `${whole}${more.join('\n')}\n`;
  for (const [text, expected] of [
    [`\ufeff${lines('[monitr]')}`, ['4 monitr : unknown section, ignored (did you mean [monitor]?)']],
    [lines('[monitr]').replaceAll('\n', '\r\n'), ['4 monitr : unknown section, ignored (did you mean [monitor]?)']],
    [
      lines('[monitor]', 'mode: observe'),
      ['5 monitor : cannot be read (expected "key = value", a [section] or a comment, got ":" instead of "=")'],
    ],
    [lines('[monitor]', 'mode = "observe"'), []],
    [
      lines('[monitor]', "mode = 'observ'"),
      ['5 monitor mode: invalid value "observ", expected act or observe; did you mean observe?'],
    ],
    [lines('[monitor]', 'MODE = act'), ['5 monitor MODE: unknown key, ignored (did you mean mode?)']],
    [
      lines('[monitor]', 'check interval = 5'),
      ['5 monitor check interval: unknown key, ignored (did you mean check_interval?)'],
    ],
    [lines('[ monitor ]', 'mode = act'), []],
    [
      lines('[monitor]', 'mode = act', '[MONITOR]', 'mode = act'),
      ['6 MONITOR : unknown section, ignored (did you mean [monitor]?)'],
    ],
    [
      lines('[monitor]', 'mode = act', '[monitor]', 'mode = act'),
      [
        '6 monitor : the section is repeated (first in line 4); both are read as one',
        '7 monitor mode: is repeated (first in line 5); the last one is used',
      ],
    ],
    [
      lines('[process.Web App]').replace('[process', '[Process'),
      ['4 Process.Web App : unknown section, ignored (did you mean [process.Web App]?)'],
    ],
    [
      lines('[mysql]', 'host = localhost', 'password = x', '[general]', 'check_interval = 5', '[nginx]', 'restart_command = x'),
      [
        '4 mysql : unknown section, ignored (did you mean [database]?)',
        '7 general : unknown section, ignored (did you mean [monitor]?)',
        '9 nginx : unknown section, ignored (did you mean [process.nginx]?)',
      ],
    ],
    // Whose keys the others are is not known then.
    [
      '[database]\ndriver = sqllite\npath = DIR/a.db\nhost = localhost\n',
      ['2 database driver: invalid value "sqllite", expected mysql or sqlite; did you mean sqlite?'],
    ],
  ] as const)
    assert.deepEqual(told(text), expected, text);
});
