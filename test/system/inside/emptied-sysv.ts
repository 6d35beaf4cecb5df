import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { testEmptied } from './emptied-kind.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. Services of /etc/init.d, which stay active without processes.

/** Where transient.test.ts has put systemd's own: the container is booted without it. */
const GENERATOR = '/usr/local/lib/systemd-sysv-generator';

/** `/etc/init.d/NAME` whose start runs `start`, and the lines of the unit that systemd makes of it. */
function sysvUnit(t: TestContext, name: string, start: string): string[] {
  const script = `/etc/init.d/${name}`;
  const lines = [
    '#!/bin/sh',
    '### BEGIN INIT INFO',
    `# Provides: ${name}`,
    '# Required-Start:',
    '# Required-Stop:',
    '# Default-Start: 2 3 4 5',
    '# Default-Stop:',
    '### END INIT INFO',
    `case $1 in start) ${start} ;; stop) pkill -x ${name}d ;; esac`,
    'exit 0',
  ];
  writeFileSync(script, `${lines.join('\n')}\n`, { mode: 0o755 });
  const dir = mkdtempSync('/run/sysv-');
  t.after(() => {
    rmSync(script, { force: true });
    rmSync(dir, { recursive: true, force: true });
  });
  execFileSync(GENERATOR, [dir, dir, dir]);
  return readFileSync(join(dir, `${name}.service`), 'utf8')
    .trimEnd()
    .split('\n');
}

testEmptied('sysv', sysvUnit);
