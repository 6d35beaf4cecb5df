// What happened, in words.
import type { HistoryRecord } from '../../control/orders/history.ts';

/** One event as a sentence without its time and process: `attempt 1 failed: exit code 3`. */
export function eventWords({ type, detail: written }: Pick<HistoryRecord, 'type' | 'detail'>): string {
  // Many blanks in the notes of a row could push what follows to the begin of a line, as if it were one of ours.
  const detail = written.replace(/\s{2,}/g, ' ');
  const words = WORDS[type];
  if (words === undefined) return detail === '' ? type : `${type}: ${detail}`;
  return typeof words === 'string' ? after(words, detail) : words(detail);
}

function after(words: string, detail: string): string {
  return detail === '' ? words : `${words}: ${detail}`;
}

/** By type: the words before the detail, or what is made of it. */
const WORDS: Readonly<Record<string, string | ((detail: string) => string)>> = {
  daemon_started: 'monitor_service started',
  process_exited: 'the process has ended',
  alarm_raised: (detail) => `alarm raised ${detail}`,
  check_changed: (detail) => `check ${detail}`,
  alarm_found: 'alarm found',
  incident_joined: (detail) => `from here on part of the incident of ${detail.replace(/: (?=[^:]*$)/, ', ')}`,
  recovery_started: 'recovery begins',
  recovery_skipped: 'not restarted',
  recovery_shared: (detail) => `the recovery of ${detail} was also for this one`,
  recovery_succeeded: 'recovered',
  recovery_failed: 'recovery failed',
  recovery_unproved: 'restarted, and not proved to be well',
  attempt_restarted: (detail) => detail,
  attempt_failed: (detail) => detail.replace(/^(attempt \d+): /, '$1 failed: '),
  command_output: (detail) => `output of ${detail}`,
  health_check_passed: (detail) => `health check passed ${detail}`,
  alarm_cleared: (detail) => `alarm cleared ${detail}`,
  breaker_opened: 'circuit breaker opened',
  breaker_half_opened: 'circuit breaker half open, one recovery is tried',
  breaker_closed: (detail) => after('circuit breaker closed', detail),
  hold_set: (detail) => after('put on hold', detail),
  hold_released: (detail) => after('hold released', detail),
  order_given: 'order',
  store_lost: 'the alarm store does not answer',
  store_restored: (detail) => `the alarm store answers again ${detail}`,
  config_reloaded: 'configuration reloaded',
};
