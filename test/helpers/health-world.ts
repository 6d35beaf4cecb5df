import type { ManagedProcess } from '../../src/core/alarm.ts';
import type { CheckResult } from '../../src/core/outcomes.ts';
import type { HealthCheck, HealthCheckParts } from '../../src/health/health-check.ts';
import { parseHealthChecks } from '../../src/health/index.ts';
import { NameResolver } from '../../src/system/names/resolver.ts';
import { PlainSection } from './plain-section.ts';

/** For checks that run no commands. */
export const noCommands: HealthCheckParts = {
  commands: {
    run: async () => ({ kind: 'not_started', reason: 'no commands here' }),
    waitForRun: async () => 'not_found',
  },
  names: new NameResolver(),
};

/** The only check that these keys configure. */
export function onlyCheck(keys: Readonly<Record<string, string>>, parts: HealthCheckParts = noCommands): HealthCheck {
  const section = new PlainSection(keys);
  const checks = parseHealthChecks(section)(parts);
  const [check] = checks;
  if (check === undefined || checks.length > 1 || section.problems.length > 0) throw new Error(section.problems.join('\n'));
  return check;
}

/** What is wrong with these keys. */
export function problemsOf(keys: Readonly<Record<string, string>>): string[] {
  const section = new PlainSection(keys);
  parseHealthChecks(section);
  return section.problems;
}

/** A process of this name, as the database gives it. */
export function processNamed(name: string): ManagedProcess {
  return { processId: '7', processName: name, systemName: name, systemNameConfigured: false };
}

/** One try. */
export function look(
  check: HealthCheck,
  { name = 'nginx', timeoutMs = 30_000, signal = new AbortController().signal } = {},
): Promise<CheckResult> {
  return check.check(processNamed(name), 1, timeoutMs, signal);
}

/** Why it is unhealthy; empty where it is healthy. */
export function reason(result: CheckResult): string {
  return result.kind === 'healthy' ? '' : result.reason;
}
