// Connects by host name, with look-ups that use no thread of Node.

import { connect, type LookupFunction, type Socket } from 'node:net';
import type { HostAddress } from './address.ts';
import type { NameAnswer, NameResolver } from './resolver.ts';

/** Returns a `lookup` for connect(), http.request() and similar, for a name whose addresses are already known. */
export function knownAddresses(addresses: readonly HostAddress[]): LookupFunction {
  return lookupOf(async () => ({ kind: 'resolved', addresses }));
}

/**
 * Returns the same for a name that `names` resolves within `timeoutMs` or until `signal` aborts. If it cannot, the error says
 * so.
 */
export function lookupByName(names: NameResolver, timeoutMs: number, signal: AbortSignal): LookupFunction {
  return lookupOf((name) => names.resolve(name, timeoutMs, signal));
}

/**
 * Connects like net.connect, but resolves the host's name by `names`, for at most `timeoutMs`. If that fails, the socket's
 * error says so. The look-up ends with the socket.
 */
export function connectByName(
  names: NameResolver,
  place: { readonly host: string; readonly port: number },
  timeoutMs: number,
): Socket {
  const closed = new AbortController();
  return connect({ ...place, lookup: lookupByName(names, timeoutMs, closed.signal) }).once('close', () =>
    closed.abort('the socket is closed'),
  );
}

function lookupOf(find: (name: string) => Promise<NameAnswer>): LookupFunction {
  return (name, options, done) => {
    void find(name).then((answer) => {
      const addresses =
        answer.kind === 'resolved' ? answer.addresses.filter(({ family }) => isWanted(family, options.family)) : [];
      const [first] = addresses;
      if (first === undefined) done(failure(name, answer), '');
      else if (options.all === true)
        done(
          null,
          addresses.map((entry) => ({ ...entry })),
        );
      else done(null, first.address, first.family);
    });
  };
}

function isWanted(family: HostAddress['family'], wanted: number | string | undefined): boolean {
  return !wanted || wanted === family || wanted === `IPv${family}`;
}

function failure(name: string, answer: NameAnswer): NodeJS.ErrnoException {
  const { code, reason } =
    answer.kind === 'unresolved' ? answer : { code: 'ENOTFOUND', reason: 'it has no address of the requested family' };
  return Object.assign(new Error(`${name} could not be resolved: ${reason}`), { code, hostname: name });
}
