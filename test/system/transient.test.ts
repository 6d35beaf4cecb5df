import { copyFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { skipUnless } from '../helpers/requirement.ts';
import { runInside } from '../helpers/run-inside.ts';
import { bootSystemdContainer, containerProblem } from '../helpers/systemd-container.ts';
import { SYSV_GENERATOR, sysvProblem } from '../helpers/sysv-generator.ts';

// What runs through PID 1, on a real systemd: the files under inside/ are tests that run in a container.

const skip = skipUnless(containerProblem());
/** Suites that need more than the container: why they cannot be run here. */
const PROBLEMS: Readonly<Record<string, () => string | undefined>> = { 'emptied-sysv': sysvProblem };

// Each in a container of its own: what a suite's programs leave running would be taken for another's. Mostly they wait; those that
// wait longest are first.
describe('under a real systemd', { concurrency: 4 }, () => {
  for (const suite of [
    'hung-units',
    'commands',
    'hung-idle-units',
    'unit-names',
    'emptied-units',
    'odd-units',
    'other-supervisor',
    'auto-strategy',
    'skipped-starts',
    'launches',
    'unit-ends',
    'emptied-sysv',
    'watch-exit',
    'worker',
    'identity',
    'status',
    'copies',
    'pins',
    'units',
    'strangers',
    'journal',
    'checks',
    'strangers-in-path',
  ]) {
    const more = skipUnless(PROBLEMS[suite]?.());
    test(suite, { skip: skip || more }, async (t) => {
      const container = await bootSystemdContainer();
      t.after(() => container.stop());
      // It is booted without generators.
      if (suite === 'emptied-sysv') copyFileSync(SYSV_GENERATOR, container.path('/usr/local/lib/systemd-sysv-generator'));
      await runInside(t, container, suite);
    });
  }
});
