import { errorMessage } from '../core/errors.ts';

/** Why a connection failed, in a few words: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, or the message where there is no code. */
export function errorCode(error: Error): string {
  // Of several addresses that were tried, the first one's fault; the AggregateError around them says nothing.
  const cause = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  return (cause as NodeJS.ErrnoException).code ?? errorMessage(cause);
}
