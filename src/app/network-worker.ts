// The worker for checks of the network, and what is said of it.
import type { Clock } from '../core/clock.ts';
import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';
import { LazyWorker } from '../probes/worker/lazy.ts';
import type { Execution } from '../system/execution.ts';

/** What the worker needs, and where it is reported. */
interface WorkerParts {
  readonly clock: Clock;
  readonly events: EventBus;
  readonly execution: Pick<Execution, 'services'>;
  readonly log: Logger;
}

/** The worker, which is started with its first piece of work. If it fails again and again, that is an incident of its own. */
export function networkWorker({ clock, events, execution, log }: WorkerParts): LazyWorker {
  const report = (from: 'ok' | 'failing', to: 'ok' | 'failing', reason: string): void =>
    events.emit({ type: 'check_changed', name: WORKER, processName: null, from, to, reason, isWarning: false });
  return new LazyWorker({
    clock,
    underSystemd: execution.services.available,
    onTrouble: (reason) => {
      log.error(`Checks of the network are unknown: ${reason}`);
      report('ok', 'failing', reason);
    },
    onRecovered: () => {
      log.info('The worker for checks of the network runs again');
      report('failing', 'ok', '');
    },
  });
}

/** What the process is called, as ps(1) shows it. */
const WORKER = 'monitor_worker';
