import { copyFileSync } from 'node:fs';
import { test } from 'node:test';
import { skipUnless } from '../helpers/requirement.ts';
import { bootSystemdContainer, containerProblem } from '../helpers/systemd-container.ts';
import { SYSV_GENERATOR, sysvProblem } from '../helpers/sysv-generator.ts';

// What runs through PID 1, on a real systemd: the files under inside/ are tests that run in a container.

const skip = skipUnless(containerProblem());
/** Suites that need more than the container: why they cannot be run here. */
const PROBLEMS: Readonly<Record<string, () => string | undefined>> = { 'emptied-sysv': sysvProblem };

for (const suite of [
  'auto-strategy',
  'commands',
  'copies',
  'emptied-sysv',
  'emptied-units',
  'hung-units',
  'identity',
  'journal',
  'launches',
  'migrated-commands',
  'odd-units',
  'other-supervisor',
  'pins',
  'status',
  'strangers',
  'strangers-in-path',
  'unit-ends',
  'unit-names',
  'units',
  'watch-exit',
]) {
  const more = skipUnless(PROBLEMS[suite]?.());
  test(`under a real systemd: ${suite}`, { skip: skip || more }, async (t) => {
    // One each: what a suite's programs leave running would be taken for another's.
    const container = await bootSystemdContainer();
    t.after(() => container.stop());
    // It is booted without generators.
    if (suite === 'emptied-sysv') copyFileSync(SYSV_GENERATOR, container.path('/usr/local/lib/systemd-sysv-generator'));
    const { read, node, project } = container;
    const file = `${project}/test/system/inside/${suite}.ts`;
    const report = await read([node, '--test', '--test-reporter=spec', file], { limitMs: 300_000 });
    for (const line of report.split('\n').filter(Boolean)) t.diagnostic(line);
  });
}
