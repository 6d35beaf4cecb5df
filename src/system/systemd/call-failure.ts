import type { CallResult } from './dbus/connection.ts';

/** Why a call of PID 1's was not answered with a reply, in one line. */
export function callFailure(result: Exclude<CallResult, { kind: 'reply' }>): string {
  switch (result.kind) {
    case 'error':
      return result.message;
    case 'lost':
      return `the connection to systemd was lost: ${result.reason}`;
    case 'no_answer':
      return 'systemd does not answer';
    case 'aborted':
      return 'aborted';
    default:
      return result satisfies never;
  }
}
