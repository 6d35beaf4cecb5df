// Why an event stream ended, for people.
import { errorMessage } from '../../core/errors.ts';
import { type EventAddress, eventAddressName } from './address.ts';

/** Why a stream ended; `reason` is one line, not yet printable. */
export type StreamEnd =
  | { readonly kind: 'stopped' }
  /** No server was reached in time; `nobody`: none listens there. */
  | { readonly kind: 'unreachable'; readonly reason: string; readonly nobody?: true }
  /** It may not be opened, or a password is wrong or missing. */
  | { readonly kind: 'forbidden'; readonly reason: string }
  /** There was a connection, and the server or the network ended it. */
  | { readonly kind: 'closed'; readonly reason: string };

/** Describes an error of the connection as the end of a stream; `wasOpen`: it came after the connection was made. */
export function describeStreamFault(error: unknown, address: EventAddress, wasOpen: boolean): StreamEnd {
  const name = eventAddressName(address);
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  if (wasOpen) return { kind: 'closed', reason: `the connection to ${name} broke (${code || errorMessage(error)})` };
  if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(code))
    return { kind: 'unreachable', reason: nobody(address), nobody: true };
  if (['EACCES', 'EPERM'].includes(code)) {
    return { kind: 'forbidden', reason: `no permission to use ${name} (be root, or a member of [events] socket_group)` };
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
    return {
      kind: 'unreachable',
      reason: `${name} does not speak TLS, or no version of it that is accepted here (${errorMessage(error)})`,
    };
  }
  if (address.kind === 'tcp' && address.tls !== undefined && /CERT|ISSUER|SIGNATURE/.test(code)) {
    const isUnknown = address.tls.ca === undefined && /ISSUER|SIGN/.test(code);
    const cure = isUnknown ? '; name its authority with --tls-ca' : '';
    return { kind: 'unreachable', reason: `the certificate of ${name} is not trusted (${errorMessage(error)}${cure})` };
  }
  return { kind: 'unreachable', reason: `no connection to ${name} (${code || errorMessage(error)})` };
}

/** The reason if no better one is known. */
function nobody(address: EventAddress): string {
  const key = address.kind === 'unix' ? '[events]' : '[events] tcp';
  return `nobody listens on ${eventAddressName(address)}: the daemon does not run, or without ${key} in its configuration (events --direct needs no daemon)`;
}
