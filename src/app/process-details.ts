import type { OrderReply, ProcessDetails, ProcessStatus } from '../control/orders.ts';
import type { ProcessRow } from '../core/alarm.ts';
import type { RestartPreview } from '../core/outcomes.ts';
import type { Core } from './app.ts';
import { holdStatus, storeStatus } from './status.ts';

/** What was looked at already. */
export interface DetailParts {
  readonly process: ProcessStatus;
  /** null: the store does not answer. */
  readonly rows: readonly ProcessRow[] | null;
  readonly preview: RestartPreview & { readonly strategy: string; readonly target: string };
}

/** All that is known of one process. */
export async function describeProcess(
  core: Core,
  name: string,
  { process, rows, preview }: DetailParts,
): Promise<OrderReply<ProcessDetails>> {
  const hold = core.holds.of(name);
  const { stops, starts, refusals, warnings, strategy, target } = preview;
  return {
    kind: 'done',
    process,
    pid: 0,
    store: storeStatus(core),
    rows:
      rows &&
      rows.map(({ processId, notes, alarma, sound }) => ({
        processId,
        notes,
        since: null,
        acknowledged: sound,
        inAlarm: alarma,
      })),
    hold: hold === undefined ? null : holdStatus(hold),
    running: null,
    unit: null,
    recoveries: [],
    restart: { stops, starts, refusals, strategy, target, ...(warnings === undefined ? {} : { warnings }) },
    output: null,
  };
}
