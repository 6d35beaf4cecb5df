import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isWrapperOf } from '../../../../../src/strategies/unit/programs/wrapper.ts';
import type { SeenProcess } from '../../../../../src/system/proc/look.ts';
import type { ProcessTable } from '../../../../../src/system/proc/table.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

/** Whether a shell with these arguments, which has started a server 2 s after its own start, is its wrapper. */
function isWrapper(
  argv: readonly string[],
  { terminalDevice = 0, startTime = 1000, executable = '/usr/bin/dash', cwd = '/' } = {},
) {
  const shell = { pid: 7, argv, terminalDevice, startTime, executable, cwd };
  const table = { read: (pid: number) => (pid === 7 ? shell : undefined) } as unknown as ProcessTable;
  const root = {
    pid: 8,
    ppid: 7,
    name: 'server',
    argv: ['/opt/app/server', '-x'],
    executable: '/opt/app/server',
    startTime: 1200,
  };
  return isWrapperOf(table, 7, root as unknown as SeenProcess);
}

const isText = (text: string): boolean => isWrapper(['/bin/sh', '-c', text]);

function script(t: TestContext, text: string): string {
  const file = join(tempDir(t), 'start.sh');
  writeFileSync(file, text, { mode: 0o755 });
  return file;
}

test('a shell is a wrapper if the program is the last that it does, soon after its start', (t) => {
  for (const text of [
    '/opt/app/server -x',
    'ulimit -n 9000; cd /opt/app && FOO=1 nice -n 5 ./server -x; exit $?',
    '"$HOME/server" \\\n  -x || exit 1',
    '/opt/app/server & trap "kill $!" TERM; wait $!',
    '[ -e /x ] || server # the end',
  ])
    assert.ok(isText(text), text);
  const file = script(t, '#!/bin/sh\nset -e\n. /etc/default/app\n/opt/app/server "$@"\n# vim: set et: ai\n\n');
  assert.ok(isWrapper(['/bin/sh', '-e', file, '-x']));
  assert.ok(isWrapper(['sh', './start.sh'], { cwd: join(file, '..') }));
});

test('a batch job, a loop, somebody’s shell, or a script that prepares for long is not a wrapper', (t) => {
  for (const text of [
    'step1; /opt/app/server 5; echo step3 >> /run/batch.log',
    'while :; do /opt/app/server; sleep 60; done',
    'while :; do /opt/app/server & wait; done',
    '/opt/app/server & sleep 9000',
    'notify server',
    'if true; then /opt/app/server; fi',
    '',
  ])
    assert.ok(!isText(text), text);
  const batch = script(t, '#!/bin/sh\nstep1\n/opt/app/server\nstep3\n');
  assert.ok(!isWrapper(['/bin/sh', batch]));
  const wrapper = script(t, '#!/bin/sh\n/opt/app/server\n');
  assert.ok(!isWrapper(['/bin/sh', wrapper], { terminalDevice: 1025 }));
  assert.ok(!isWrapper(['/bin/sh', wrapper], { startTime: 100 }));
  assert.ok(!isWrapper(['perl', wrapper], { executable: '/usr/bin/perl' }));
  for (const argv of [['/bin/bash'], ['/bin/bash', '-i', wrapper], ['-bash', '-l'], ['/bin/sh', '/nowhere']])
    assert.ok(!isWrapper(argv), argv.join(' '));
  assert.ok(!isWrapper(['/bin/sh', script(t, `#!/bin/sh\n${'#'.repeat(70_000)}\n/opt/app/server\n`)]));
});
