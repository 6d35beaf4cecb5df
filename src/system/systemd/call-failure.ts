import type { CallResult } from './dbus/connection.ts';

/** Says in one line why PID 1 did not answer a call with a reply. */
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
