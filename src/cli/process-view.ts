import type { ProcessStatus } from '../control/orders.ts';
import type { RestartPreview } from '../core/outcomes.ts';
import { printable } from '../core/printable.ts';
import { ellipsize } from './display-width.ts';
import { paint, type Style } from './output.ts';
import { activityStyle, breakerCell, lastCell, localTime, watchedCells } from './status-view.ts';
import type { Cell, TableOptions } from './table.ts';

/** One process as lines for people, at the time `now`; printable. `preview`: what a restart of it would do. */
export function renderProcess(process: ProcessStatus, preview: RestartPreview, now: Date, options: TableOptions): string[] {
  const [up, exits, lastExit] = process.watched === null ? [] : watchedCells(process.watched, now);
  const facts: readonly (readonly [name: string, cell: Cell | undefined])[] = [
    [
      'state',
      { text: process.reason === null ? process.state : `${process.state}: ${process.reason}`, style: activityStyle(process) },
    ],
    ['alarm', alarmCell(process)],
    ['strategy', { text: `${process.strategy}${process.target === null ? '' : `, target ${process.target}`}` }],
    ['breaker', breakerCell(process.breaker)],
    ['up', up],
    ['exits', exits],
    ['last exit', lastExit],
    ['pinned', process.pinnedAt ? { text: `since ${localTime(process.pinnedAt)}` } : undefined],
    ['kept by', process.supervisor ? { text: process.supervisor } : undefined],
    ['last recovery', lastCell(process.lastRecovery, now)],
    ...preview.stops.map((text) => ['runs', { text }] as const),
    ...(preview.warnings ?? []).map((text) => ['warning', { text, style: 'yellow' }] as const),
    ...preview.refusals.map((text) => ['no restart', { text, style: 'red' }] as const),
  ];
  const lines = facts.flatMap(([name, cell]) => (cell === undefined ? [] : [line(name, cell, options)]));
  return [paint('bold', printable(process.name), options.colour), ...lines];
}

function alarmCell({ inAlarm, alarmKept, processId }: ProcessStatus): Cell {
  const row = processId === null ? '' : ` (process_id ${processId})`;
  if (inAlarm === null) return { text: `not known${row}`, style: 'yellow' };
  if (!inAlarm) return { text: `no${row}` };
  return { text: alarmKept ? 'kept by the daemon' : `yes${row}`, style: 'red' };
}

/** Reasons and warnings say what to do: they are not cut. */
function line(name: string, { text, style }: Cell, { width, colour }: TableOptions): string {
  const words = printable(text);
  const shown = UNCUT.includes(name) ? words : ellipsize(words, Math.max(1, (width ?? Number.MAX_SAFE_INTEGER) - NAME_WIDTH));
  return `${name.padEnd(NAME_WIDTH)}${paint(style satisfies Style | undefined, shown, colour)}`;
}

const NAME_WIDTH = 15;
const UNCUT: readonly string[] = ['warning', 'no restart'];
