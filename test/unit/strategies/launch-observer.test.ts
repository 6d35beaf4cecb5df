import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LaunchObserver } from '../../../src/strategies/launch-observer.ts';
import { coreWith } from '../../helpers/core-world.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** A program that waits in a process of its own name, without children. */
function startProgram(t: TestContext, path: string): void {
  writeFileSync(path, '#!/bin/sh\nmkfifo "$0.pipe"\nexec 3<>"$0.pipe"\nread -r line <&3\n', { mode: 0o755 });
  const child = spawn(path, ['an argument'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
}

test('how a program was started is remembered while it lives, and examined again after a reload', async (t) => {
  const dir = tempDir(t);
  const [first, second] = [join(dir, 'first-program'), join(dir, 'second-program')];
  const section = (name: string, path: string): string =>
    `[process.${name}]\nrestart_strategy = process\nsystem_name = ${path}\n`;
  const core = await coreWith(t, dir, section('a', first) + section('b', second));
  startProgram(t, first);
  const observer = new LaunchObserver(core);
  void observer.run(core.stopping.signal);
  await waitFor('the first one', async () => {
    observer.lookAgain();
    return core.state.launches.get(first);
  });
  assert.equal(core.state.launches.get(second), undefined);
  startProgram(t, second);
  const record = await waitFor('the second one', async () => {
    observer.lookAgain();
    return core.state.launches.get(second);
  });
  assert(record.argv.includes('an argument'));
});
