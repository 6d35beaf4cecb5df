import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameProblem, programMatcher } from '../../../../../src/strategies/process/identity/name.ts';

interface Shape {
  readonly comm: string;
  readonly exe?: string;
  readonly argv?: readonly string[];
  /** What it runs, as its own file says. */
  readonly script?: string;
}

function matches(name: string, { comm, exe, argv, script }: Shape, believed = true): boolean {
  return programMatcher(
    name,
    () => believed,
    () => script,
  )({
    pid: 1,
    name: comm,
    ...(exe === undefined ? {} : { executable: exe }),
    ...(argv === undefined ? {} : { argv }),
  });
}

const yes: [string, Shape][] = [
  ['worker', { comm: 'worker' }],
  ['worker', { comm: 'other', exe: '/opt/x/worker' }],
  ['worker', { comm: 'other', exe: '/bin/busybox', argv: ['/opt/worker', '-x'] }],
  ['app.sh', { comm: 'app.sh', exe: '/usr/bin/bash', argv: ['/bin/bash', '/opt/app.sh'] }],
  ['NetworkManager-dispatcher', { comm: 'NetworkManager-', exe: '/usr/libexec/NetworkManager-dispatcher' }],
  ['NetworkManager-dispatcher', { comm: 'x', argv: ['NetworkManager-dispatcher'] }],
  ['a-long-script-name.sh', { comm: 'a-long-script-n', exe: '/bin/bash', argv: ['/bin/bash', '/opt/a-long-script-name.sh'] }],
  ['a-long-script-name.sh', { comm: 'a-long-script-n', argv: ['/bin/bash', '-e', '/opt/a-long-script-name.sh'] }],
  ['fifteen-bytes-1', { comm: 'fifteen-bytes-1', exe: '/bin/bash', argv: ['/bin/bash', '/opt/fifteen-bytes-1'] }],
  ['fifteen-bytes-1', { comm: 'fifteen-bytes-1' }],
  ['nginx', { comm: 'x', argv: ['nginx: master process /usr/sbin/nginx -c /etc/nginx.conf'] }],
  ['sshd', { comm: 'x', argv: ['sshd: root@pts/0'] }],
  ['postgres', { comm: 'x', argv: ['/usr/lib/postgres: writer', '', ''] }],
  ['b: c', { comm: 'b: c', argv: ['/opt/b: c'] }],
  ['/opt/app/worker', { comm: 'worker', exe: '/opt/app/worker' }],
  ['/opt/app/worker', { comm: 'x', exe: '/opt/releases/12/worker', argv: ['/opt/app/worker'] }],
  ['/opt/app.py', { comm: 'app.py', exe: '/usr/bin/python3.11', argv: ['/usr/bin/python3', '/opt/app.py'] }],
  ['app.py', { comm: 'python3', exe: '/usr/bin/python3.11', argv: ['python3', '-u', '/opt/app.py'], script: '/opt/app.py' }],
  ['/opt/app.py', { comm: 'python3', exe: '/usr/bin/python3.11', argv: ['python3', 'app.py'], script: '/opt/app.py' }],
  ['%s', { comm: '%s' }],
  ['line\nbreak', { comm: 'line\nbreak' }],
  ['șșșșșșșș-worker', { comm: 'șșșșșșș\ufffd', argv: ['x', '/opt/șșșșșșșș-worker'] }],
];
for (const [name, shape] of yes)
  test(`${JSON.stringify(name)} is ${JSON.stringify(shape)}`, () => assert.ok(matches(name, shape)));

const no: [string, Shape][] = [
  ['worker', { comm: 'worker2', exe: '/opt/worker2', argv: ['worker2'] }],
  ['worker', { comm: 'my-worker', exe: '/opt/my-worker', argv: ['my-worker'] }],
  ['worker', { comm: 'bash', exe: '/bin/bash', argv: ['bash', '-c', 'worker'] }],
  ['worker', { comm: 'vim', exe: '/usr/bin/vim', argv: ['vim', '/opt/worker'] }],
  ['worker', { comm: 'worke', argv: [] }],
  ['wor.er', { comm: 'worker' }],
  ['.*', { comm: 'worker' }],
  ['WORKER', { comm: 'worker' }],
  ['app.py', { comm: 'python3', exe: '/usr/bin/python3.11', argv: ['python3', '/opt/app.py'] }],
  ['NetworkManager-dispatcher', { comm: 'NetworkManager-', exe: '/usr/sbin/NetworkManager-other', argv: ['x'] }],
  ['NetworkManager-dispatcher', { comm: 'NetworkManager-' }],
  ['NetworkManager-', { comm: 'NetworkManager-', exe: '/usr/libexec/NetworkManager-dispatcher', argv: ['x'] }],
  ['fifteen-bytes-1', { comm: 'fifteen-bytes-1', exe: '/bin/bash', argv: ['/bin/bash', '/opt/fifteen-bytes-12'] }],
  ['nginx.conf', { comm: 'x', argv: ['nginx: master process /usr/sbin/nginx -c /etc/nginx.conf'] }],
  ['/opt/app/worker', { comm: 'worker', exe: '/opt/other/worker', argv: ['worker'] }],
  ['/opt/app/worker', { comm: 'vim', exe: '/usr/bin/vim', argv: ['vim', '/opt/app/worker'] }],
  ['/worker', { comm: 'worker', exe: '/opt/worker', argv: ['/opt/worker'] }],
];
for (const [name, shape] of no) {
  test(`${JSON.stringify(name)} is not ${JSON.stringify(shape)}`, () => assert.ok(!matches(name, shape)));
}

test('a process that is not trusted matches a full path only by its file, and a plain name by anything it says', () => {
  for (const [name, shape] of yes) {
    assert.equal(matches(name, shape, false), !name.includes('/') || shape.exe === name, JSON.stringify([name, shape]));
  }
});

test('names that no program can have are refused with a line that says why', () => {
  const problem = (systemName: string, systemNameConfigured = false) =>
    nameProblem({ processId: '1', processName: 'x', systemName, systemNameConfigured }, false);
  for (const name of ['nginx', '-x', '%s', 'a b', 'a\nb', '$(id)', '...', 'x'.repeat(255), '__proto__']) {
    assert.equal(problem(name), undefined, name);
  }
  for (const name of ['', ' ', '.', '..', 'a\0b', 'x'.repeat(256), '/opt/x', '../x', 'monitor_service', '/']) {
    assert.match(problem(name) ?? '', /^[^\n]+$/, JSON.stringify(name));
  }
  assert.equal(problem('/opt/x', true), undefined);
  for (const name of ['opt/x', '/opt/', '/opt/..', '/', './x', '/opt/monitor_service']) assert.ok(problem(name, true), name);
});
