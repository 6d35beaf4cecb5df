import type { TestContext } from 'node:test';
import type { SystemdContainer } from './systemd-container.ts';

/**
 * Runs the tests of `test/system/inside/SUITE.ts` in a container, and gives their report to the test as diagnostics. Rejects with the
 * report if one of them fails, or if they take longer than 5 min.
 */
export async function runInside(t: TestContext, container: SystemdContainer, suite: string): Promise<void> {
  const { read, node, project, compiled: env } = container;
  const file = `${project}/test/system/inside/${suite}.ts`;
  const report = await read([node, '--test-reporter=spec', file], { limitMs: LIMIT_MS, env });
  for (const line of report.split('\n').filter(Boolean)) t.diagnostic(line);
}

const LIMIT_MS = 300_000;
