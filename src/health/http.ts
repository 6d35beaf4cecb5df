// The health check by an HTTP request.
import { tryHttp } from '../probes/http.ts';
import type { HealthCheckDefinition } from './health-check.ts';
import { expandUrl, type HttpCheckOptions, parseHttpOptions } from './http-options.ts';

/**
 * `health_check_url`: healthy if a GET is answered with a status of `health_check_status` and, if `health_check_body` is set,
 * the first 1 MiB of the body contains or matches it (tryHttp).
 */
export const httpCheck = {
  parse: parseHttpOptions,
  create: (options: HttpCheckOptions, { names }) => ({
    description: `health_check_url ${shownUrl(options.url)}`,
    check: async (process, _attempt, timeoutMs, signal) => {
      const expanded = expandUrl(options.url, process.systemName);
      if (expanded.kind === 'refused') return { kind: 'unhealthy', reason: expanded.reason };
      return await tryHttp(expanded.url, options, names, timeoutMs, signal);
    },
  }),
} satisfies HealthCheckDefinition<HttpCheckOptions>;

/** Without user, password and query. */
function shownUrl(template: string): string {
  const [, scheme, rest = ''] = /^(https?:\/\/)(?:[^/?#]*@)?([^?#]*)/i.exec(template) ?? [];
  return `${scheme}${rest}`;
}
