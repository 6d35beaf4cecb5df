import type { DaemonStatus } from '../../control/status.ts';
import { printable } from '../../core/text/printable.ts';
import { factLines } from '../terminal/fact-lines.ts';
import { paint } from '../terminal/output.ts';
import { leastWidth, type TableOptions } from '../terminal/table.ts';
import { wrap } from '../terminal/wrap.ts';
import { daemonFacts, headline } from './header.ts';
import { processRows } from './process-rows.ts';

/** Renders a status as lines for people, at the time `now`; printable. */
export function renderStatus(status: DaemonStatus, now: Date, options: TableOptions): string[] {
  const width = options.width === undefined ? undefined : Math.max(leastWidth, options.width);
  const head = wrap(printable(headline(status, now)), width);
  return [
    ...head.map((line) => paint(status.pid === 0 ? 'red' : 'bold', line, options.colour)),
    ...factLines(daemonFacts(status, now), { indent: 0, label: 15 }, options),
    '',
    ...(status.processes.length === 0 ? wrap(noProcesses(status), width) : processRows(status, now, options)),
  ];
}

/** It must not say that nothing is in alarm if that is not known. */
function noProcesses({ store }: DaemonStatus): string {
  if (store.state !== 'ok') return 'no processes configured; whether any is in alarm is not known';
  return 'no processes configured or in alarm';
}
