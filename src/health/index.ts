// The table of health checks.
import type { SectionReader } from '../core/config.ts';
import { commandCheck } from './command.ts';
import type { HealthCheck, HealthCheckDefinition, HealthCheckParts } from './health-check.ts';
import { httpCheck } from './http.ts';
import { tcpCheck } from './tcp.ts';

/** Every kind of health check. */
type HealthCheckName = 'command' | 'http' | 'tcp';

/** The checks by name, in the order in which people see them. */
const healthChecks: Readonly<Record<HealthCheckName, HealthCheckDefinition<unknown>>> = {
  command: commandCheck,
  http: httpCheck,
  tcp: tcpCheck,
};

/**
 * Reads the keys of all health checks from `[process.NAME]`; reports problems to the reader. The function that it returns
 * creates the configured checks: [] if there are none, and then the restart strategy's own check applies.
 */
export function parseHealthChecks(section: SectionReader): (parts: HealthCheckParts) => HealthCheck[] {
  const configured = Object.values(healthChecks).map((definition) => ({ definition, options: definition.parse(section) }));
  return (parts) =>
    configured.flatMap(({ definition, options }) => (options === undefined ? [] : [definition.create(options, parts)]));
}
