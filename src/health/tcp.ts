// The TCP health check.
import { hostPortName } from '../core/text/host-port.ts';
import { type HostAndPort, parseAddress, tryTcp } from '../probes/tcp.ts';
import type { HealthCheckDefinition } from './health-check.ts';

/** `health_check_tcp` host:port or [IPv6]:port: healthy if a connection is established; nothing is sent. */
export const tcpCheck = {
  parse: (section) => parseAddress(section, 'health_check_tcp'),
  create: (address: HostAndPort, { names }) => ({
    description: `health_check_tcp ${hostPortName(address)}`,
    check: (_process, _attempt, timeoutMs, signal) => tryTcp(address, names, timeoutMs, signal),
  }),
} satisfies HealthCheckDefinition<HostAndPort>;
