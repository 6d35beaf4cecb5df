import { errorMessage } from '../core/errors.ts';

/** Why a connection failed, in a few words: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, or the message if there is no code. */
export function errorCode(error: Error): string {
  // If several addresses were tried, this is the fault of the first; the AggregateError around them says nothing.
  const cause = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  return (cause as NodeJS.ErrnoException).code ?? errorMessage(cause);
}
