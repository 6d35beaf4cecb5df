import { errorMessage } from '../core/errors.ts';

/** Why a connection failed, in a few words: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, or the message if there is no code. */
export function errorCode(error: Error): string {
  // If several addresses were tried, this is the fault of the first that was reached; the AggregateError around them says nothing.
  const causes = error instanceof AggregateError ? error.errors.filter((one) => one instanceof Error) : [];
  const cause = causes.find((one) => !isOwnFault(codeOf(one) ?? '')) ?? causes[0] ?? error;
  return codeOf(cause) ?? errorMessage(cause);
}

/** True if a connection failed for a reason of this machine, which says nothing about the other side: no descriptors, no route. */
export function isOwnFault(code: string): boolean {
  return OWN_FAULTS.has(code);
}

const OWN_FAULTS: ReadonlySet<string> = new Set([
  'EACCES',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
]);

function codeOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
