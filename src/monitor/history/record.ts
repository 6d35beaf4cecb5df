import type { Clock } from '../../core/clock.ts';
import type { EventBus, MonitorEvent } from '../../core/events.ts';
import { counted } from '../../core/text/counted.ts';
import { formatDuration } from '../../core/text/duration.ts';
import type { History } from '../../state/daemon-state.ts';

/** Records every event that an operator may ask for later. */
export function recordHistory(events: EventBus, history: History, clock: Clock): void {
  events.subscribe((event) => {
    const entry = entryOf(event);
    const output = 'output' in event ? event.output : undefined;
    if (entry !== undefined) history.append({ at: clock.date(), type: event.type, ...entry, ...(output && { output }) });
  });
}

function entryOf(event: MonitorEvent): { processName: string; detail: string } | undefined {
  switch (event.type) {
    case 'alarm_found':
      return { processName: event.process.processName, detail: event.notes ?? '' };
    case 'attempt_failed':
      return { processName: event.process.processName, detail: `attempt ${event.attempt}: ${event.reason}` };
    case 'recovery_succeeded':
      return {
        processName: event.process.processName,
        detail: recoveredWords(event),
      };
    case 'recovery_failed':
    case 'recovery_unproved':
    case 'recovery_skipped':
      return { processName: event.process.processName, detail: event.reason };
    case 'recovery_shared':
      return { processName: event.process.processName, detail: event.leaderName };
    case 'alarm_cleared':
      return { processName: event.process.processName, detail: `${formatDuration(event.sinceFoundMs)} after it was found` };
    case 'breaker_opened':
      return { processName: event.processName, detail: event.reason };
    case 'breaker_half_opened':
      return { processName: event.processName, detail: '' };
    case 'breaker_closed':
      return { processName: event.processName, detail: byWhom(event.by) };
    case 'hold_set':
      return { processName: event.name ?? '', detail: byWhom(event.by, event.reason) };
    case 'hold_released':
      return { processName: event.name ?? '', detail: event.expired ? 'expired' : byWhom(event.by) };
    case 'order_given':
      return { processName: event.name, detail: `${orderWords[event.order]} ${byWhom(event.by, event.detail)}` };
    case 'store_lost':
      return { processName: '', detail: event.reason };
    case 'store_restored':
      return { processName: '', detail: `after ${formatDuration(event.awayMs)}` };
    case 'config_reloaded':
      return { processName: '', detail: byWhom(event.by, event.changes.join('; ')) };
    case 'process_exited':
      return {
        processName: event.processName,
        detail: `pid ${event.pid}, ${event.cause}, after ${formatDuration(event.uptimeMs)}`,
      };
    case 'poll_completed':
    case 'store_doubted':
    case 'process_seen':
    case 'recovery_started':
    case 'attempt_started':
    case 'health_check_passed':
      return undefined;
    default:
      return event satisfies never;
  }
}

/** `by root (monitor_client): maintenance`. */
function byWhom(by: string | null, detail = ''): string {
  return [by === null ? '' : `by ${by}`, detail].filter((part) => part !== '').join(': ');
}

/** What the history entry of each order begins with. */
export const orderWords = {
  restart: 'restart',
  alarm: 'alarm raised',
  alarm_clear: 'alarm ended',
  breaker_reset: 'circuit breaker reset',
  pin: 'pinned',
  unpin: 'pin removed',
} as const satisfies Record<Extract<MonitorEvent, { type: 'order_given' }>['order'], string>;

/** `2 attempts, 1.5 s`: the detail of a recovery that succeeded. */
export function recoveredWords({ attempts, durationMs }: { readonly attempts: number; readonly durationMs: number }): string {
  return `${counted(attempts, 'attempt', 'attempts')}, ${formatDuration(durationMs)}`;
}
