import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfigText } from '../../../../src/config/config-file.ts';
import { parseChecks } from '../../../../src/detectors/checks/parse-checks.ts';
import type { ProcessCheckOptions } from '../../../../src/detectors/checks/types/process/options.ts';
import { processCheck } from '../../../../src/detectors/checks/types/process.ts';
import { NO_LIMITS, parseProcessCheck } from '../../../helpers/process-check.ts';

test('by default one process of the name of the check, or of its process, must run', () => {
  const { options, problems } = parseProcessCheck('');
  assert.deepEqual(problems, []);
  const program = { user: undefined, anyUser: false, pidFile: undefined, argument: undefined };
  const process = { processId: null, processName: 'web', systemName: 'web', systemNameConfigured: false };
  assert.deepEqual(options, { program: { ...program, process, isManaged: false }, min: 1, ...NO_LIMITS });
  assert.equal(parseProcessCheck('', { processName: 'nginx' }).options?.program.process.systemName, 'nginx');
  const named = parseProcessCheck('system_name = /usr/sbin/nginx', { processName: 'web' }).options?.program.process;
  assert.deepEqual([named?.systemName, named?.systemNameConfigured], ['/usr/sbin/nginx', true]);
});

test('all keys are read, and all of them are listed', () => {
  const lines = {
    system_name: 'python3',
    user: 'app',
    any_user: 'false',
    pid_file: '/run/app.pid',
    argument: '/opt/app.py',
    min: '0',
    max: '4',
    listens: '80, 127.0.0.1:8080, [0:0::1]:80, [::ffff:127.0.0.1]:8080,80',
    cpu_percent: '150.5',
    memory: '1.5G',
    descriptors: '1000',
    threads: '200',
    age: '60',
  };
  assert.deepEqual([...processCheck.keys].sort(), Object.keys(lines).sort());
  const text = Object.entries(lines).map(([key, value]) => `${key} = ${value}\n`);
  const { options, problems } = parseProcessCheck(text.join(''));
  assert.deepEqual(problems, []);
  const { program, ...limits } = options ?? {};
  assert.deepEqual(limits, {
    min: 0,
    max: 4,
    listens: [
      { host: undefined, port: 80 },
      { host: '127.0.0.1', port: 8080 },
      { host: '::1', port: 80 },
    ],
    cpuPercent: 150.5,
    memory: 1.5 * 2 ** 30,
    descriptors: 1000,
    threads: 200,
    ageMs: 60_000,
  });
  assert.deepEqual([program?.user, program?.pidFile, program?.argument], ['app', '/run/app.pid', '/opt/app.py']);
});

test('each invalid value is one line that says what was expected', () => {
  const cases: Record<string, string> = {
    'min = -1': 'min: invalid value "-1", expected a whole number (at least 0)',
    'min = 3\nmax = x': 'max: invalid value "x", expected a whole number (at least 0)',
    'listens = 0': 'listens: invalid value "0", expected PORT, IPv4:PORT or [IPv6]:PORT',
    'listens = localhost:80': 'listens: invalid value "localhost:80", expected PORT, IPv4:PORT or [IPv6]:PORT',
    'listens = 80, ::1:80': 'listens: invalid value "::1:80", expected PORT, IPv4:PORT or [IPv6]:PORT',
    'cpu_percent = 80%': 'cpu_percent: invalid value "80%", expected percent of one core, such as 80 or 150',
    'memory = 5m5': 'memory: invalid value "5m5", expected bytes, such as 500000, 64K, 512M or 1.5G',
    'memory = 0': 'memory: invalid value "0", expected bytes, such as 500000, 64K, 512M or 1.5G',
    'descriptors = 0': 'descriptors: invalid value "0", expected a whole number (at least 1)',
    'threads = many': 'threads: invalid value "many", expected a whole number (at least 1)',
    'age = 5m': 'age: invalid value "5m", expected seconds (0 to 2147483)',
    'pid_file = run/x': 'pid_file: invalid value "run/x", expected a file\'s full path, such as /run/app.pid',
    'user = a b': 'user: invalid value "a b", expected a user\'s name or a uid',
    'any_user = true\nuser = joe': 'user: has no effect: with any_user = true the processes of all users are the program',
    'system_name = a/b': 'system_name: cannot be looked for: "a/b" is neither a program\'s name nor its full path',
    'system_name = monitor_service': 'system_name: cannot be looked for: it is this monitor itself',
    'min = 3\nmax = 2': 'max: invalid value "2", expected at least min (3)',
    'min = 1\nmax = 0': 'max: invalid value "0", expected at least min (1)',
  };
  for (const [lines, problem] of Object.entries(cases))
    assert.deepEqual(
      parseProcessCheck(lines).problems.map((line) => line.replace(/^f:\d: \[check\.web\] /, '')),
      [problem],
      lines,
    );
  assert.equal(parseProcessCheck('system_name = a/b').options, undefined);
  assert.match(
    parseProcessCheck('pid_file = /run/x.pid', { name: 'default' }).problems.join(),
    /\[check\.NAME\], not in \[check\.def/,
  );
});

test('max = 0 alone means that none may run', () => {
  assert.deepEqual([parseProcessCheck('max = 0').options?.min, parseProcessCheck('max = 0').problems], [0, []]);
});

test('without keys of its own it means the program of its process, as that section says', () => {
  const section =
    '[process.web]\nsystem_name = python3\nargument = /opt/web.py\nuser = app\n[check.x]\ntype = process\nprocess = web\n';
  const programOf = (text: string) => {
    const document = loadConfigText('f', text);
    const [parsed] = parseChecks(document);
    return (parsed?.options as ProcessCheckOptions | undefined)?.program;
  };
  const managed = programOf(section);
  assert.deepEqual(
    [managed?.process.systemName, managed?.argument, managed?.user, managed?.isManaged],
    ['python3', '/opt/web.py', 'app', true],
  );
  const own = programOf(`${section}argument = /opt/other.py\nsystem_name = python3\n`);
  assert.deepEqual([own?.argument, own?.user, own?.isManaged], ['/opt/other.py', undefined, false]);
});
