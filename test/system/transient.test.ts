import { after, before, test } from 'node:test';
import { skipUnless } from '../helpers/requirement.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';

// What runs through PID 1, on a real systemd: the files under inside/ are tests that run in a container.

const skip = skipUnless(containerProblem());
let container: SystemdContainer | undefined;

before(async () => {
  if (skip === false) container = await bootSystemdContainer();
});
after(() => container?.stop());

for (const suite of [
  'auto-strategy',
  'commands',
  'copies',
  'identity',
  'launches',
  'other-supervisor',
  'pins',
  'status',
  'strangers',
  'strangers-in-path',
  'unit-names',
  'units',
  'watch-exit',
]) {
  test(`under a real systemd: ${suite}`, { skip }, async (t) => {
    const { read, node, project } = container as SystemdContainer;
    const file = `${project}/test/system/inside/${suite}.ts`;
    const report = await read([node, '--test', '--test-reporter=spec', file], { limitMs: 300_000 });
    for (const line of report.split('\n').filter(Boolean)) t.diagnostic(line);
  });
}
