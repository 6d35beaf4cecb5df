import { ControlError } from '../../control/exchange.ts';
import type { DaemonStatus, EventListenerStatus } from '../../control/status.ts';
import { isLoopback, parseHostPort } from '../../core/text/host-port.ts';
import { askDaemon } from '../ask-daemon.ts';
import type { Cli } from '../context.ts';
import type { EventAddress } from './address.ts';

/**
 * Why nobody listens on the address of a stream, in one line, as far as the daemon of this machine knows; undefined if it does
 * not know. Never rejects.
 */
export async function whyNobodyListens(cli: Cli, address: EventAddress): Promise<string | undefined> {
  try {
    const status = await askDaemon(cli, (daemon) => daemon.status());
    return reasonOf(status, address);
  } catch (error) {
    const code = error instanceof ControlError ? error.code : undefined;
    if (code === 'CONTROL_SOCKET_GONE' || code === 'CONTROL_ELSEWHERE') return (error as ControlError).message;
    if (code === 'CONTROL_NOT_RUNNING' && isOfThisMachine(address))
      return `the daemon does not run; it has to, with ${keyOf(address)} in its configuration (events --direct needs no daemon)`;
    // Its configuration cannot be read, or we have no permission to ask it.
    return undefined;
  }
}

function keyOf({ kind }: EventAddress): string {
  return kind === 'unix' ? '[events]' : '[events] tcp';
}

/** The reason; undefined if the address may be on another machine, about which this daemon knows nothing. */
function reasonOf({ pid, events }: DaemonStatus, address: EventAddress): string | undefined {
  const daemon = `monitor_service (pid ${pid})`;
  const meant = events?.listeners?.find((listener) => isMeant(listener, address));
  if (meant === undefined && !isOfThisMachine(address)) return undefined;
  if (events === undefined || events === null)
    return `${daemon} runs without ${keyOf(address)} in its configuration (events --direct needs no daemon)`;
  if (meant?.state === 'open') return `${daemon} listens there now; try again`;
  if (meant !== undefined) return `${daemon} cannot, and tries again: ${meant.reason ?? 'it does not say why'}`;
  const open = (events.listeners ?? []).filter(({ state }) => state === 'open').map((listener) => listener.address);
  if (open.length > 0) return `${daemon} streams on ${open.join(', ')}`;
  return events.state === 'open' ? undefined : `${daemon} has no stream: ${events.reason ?? 'it does not say why'}`;
}

function isMeant(listener: EventListenerStatus, address: EventAddress): boolean {
  if (listener.kind !== address.kind) return false;
  if (address.kind === 'unix') return listener.address === address.path;
  const place = parseHostPort(listener.address);
  if (place?.port !== address.port) return false;
  const host = place.host ?? '';
  return host === address.host || (isLoopback(address.host) && (isLoopback(host) || ANY.has(host)));
}

const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function isOfThisMachine(address: EventAddress): boolean {
  return address.kind === 'unix' || isLoopback(address.host);
}
