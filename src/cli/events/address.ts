import { DEFAULT_EVENT_SOCKET } from '../../core/process/event-line.ts';
import { hostPortName } from '../../core/text/host-port.ts';
import { type ConfigChoice, chosenSection } from '../control-address.ts';

/** Where an event stream is to be had. */
export type EventAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** `ca`: PEM of the authorities to trust, undefined: those of Node.js. Without `tls` it is not encrypted. */
      readonly tls: { readonly ca: string | undefined } | undefined;
    };

/** For people: `/run/x.sock`, `127.0.0.1:8080`, `[::1]:8080`. */
export function eventAddressName(address: EventAddress): string {
  return address.kind === 'unix' ? address.path : hostPortName(address);
}

/**
 * The socket that the daemon with the configuration meant streams to; what a configuration that cannot be read means is as for
 * the control socket.
 */
export function configuredEventSocket(choice: ConfigChoice): string {
  return chosenSection(choice, 'events')?.text('socket') ?? DEFAULT_EVENT_SOCKET;
}

/** Where the stream alone, without a monitor, is (seed 002). */
export const DEFAULT_SERVE_SOCKET = '/var/run/procMonitor.sock';
