// The addresses of event streams.
import { DEFAULT_EVENT_SOCKET } from '../../core/process/event-line.ts';
import { hostPortName } from '../../core/text/host-port.ts';
import { type ConfigChoice, chosenSection } from '../control-address.ts';

/** The address of an event stream. */
export type EventAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** `ca`: PEM of the authorities to trust; undefined: those of Node.js. Without `tls` the stream is not encrypted. */
      readonly tls: { readonly ca: string | undefined } | undefined;
    };

/** The address for people: `/run/x.sock`, `127.0.0.1:8080`, `[::1]:8080`. */
export function eventAddressName(address: EventAddress): string {
  return address.kind === 'unix' ? address.path : hostPortName(address);
}

/**
 * The socket on which the daemon with the chosen configuration streams; if that configuration cannot be read, the same rules
 * apply as for the control socket (`chosenSection`).
 */
export function configuredEventSocket(choice: ConfigChoice): string {
  return chosenSection(choice, 'events')?.text('socket') ?? DEFAULT_EVENT_SOCKET;
}

/** The default socket of the stream alone, without a monitor; it is that of procMonitor. */
export const DEFAULT_SERVE_SOCKET = '/var/run/procMonitor.sock';
