import type { EventBus, MonitorEvent } from '../../core/events.ts';
import { counted } from '../../core/text/counted.ts';
import { formatDuration } from '../../core/text/duration.ts';
import type { History } from '../../state/daemon-state.ts';

/** Records every event that an operator may ask for later. */
export function recordHistory(events: EventBus, history: History): void {
  events.subscribe((event) => {
    const entry = entryOf(event);
    const output = 'output' in event ? event.output : undefined;
    if (entry !== undefined)
      history.append({ at: event.at, type: event.type, incident: event.incident, ...entry, ...(output && { output }) });
  });
}

function entryOf(event: MonitorEvent): { processName: string; detail: string } | undefined {
  switch (event.type) {
    case 'daemon_started': {
      const after = event.crashed ? ', after it had not ended in order' : '';
      return { processName: '', detail: `version ${event.version}${after}` };
    }
    case 'alarm_raised':
      // The order says it already.
      if (event.by === 'operator') return undefined;
      return { processName: event.processName, detail: `by ${event.by}, ${WHERE[event.where]}: ${event.notes}` };
    case 'check_changed': {
      const words = {
        ok: 'is ok',
        failing: event.isWarning ? 'warns' : 'is failing',
        unknown: 'is unknown',
        off: 'is off',
      } as const;
      const what = `${event.name} ${words[event.to]}`;
      return { processName: event.processName ?? event.name, detail: event.reason === '' ? what : `${what}: ${event.reason}` };
    }
    case 'alarm_found':
      return { processName: event.process.processName, detail: event.notes ?? '' };
    case 'recovery_started':
      return { processName: event.process.processName, detail: `${event.target}, strategy ${event.strategy}` };
    case 'attempt_restarted':
      return { processName: event.process.processName, detail: `attempt ${event.attempt}: ${event.detail}` };
    case 'command_output':
      return { processName: event.processName, detail: event.description };
    case 'health_check_passed':
      return { processName: event.process.processName, detail: `after ${formatDuration(event.durationMs)}` };
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
    case 'incident_joined':
      return { processName: event.processName, detail: `${event.leaderName}: ${event.why}` };
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
    case 'alarms_taken':
    case 'process_seen':
    case 'process_unwatched':
    case 'attempt_started':
    // These have records of their own.
    case 'check_looked':
    case 'incident_opened':
    case 'incident_closed':
      return undefined;
    default:
      return event satisfies never;
  }
}

const WHERE = {
  stored: 'in the store',
  kept: 'stored locally',
  acknowledged: 'acknowledged',
  standing: 'joins the alarm that stands',
} as const;

/** `by root (monitor_client): maintenance`. */
function byWhom(by: string | null, detail = ''): string {
  return [by === null ? '' : `by ${by}`, detail].filter((part) => part !== '').join(': ');
}

/** What the history entry of each order begins with. */
const orderWords = {
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
