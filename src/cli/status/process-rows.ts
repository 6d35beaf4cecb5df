import type { DaemonStatus, ProcessStatus } from '../../control/status.ts';
import { type Fact, factLines } from '../terminal/fact-lines.ts';
import { type Cell, type TableOptions, tableBlocks } from '../terminal/table.ts';
import { stateColours, urgency } from './state-colours.ts';
import {
  alarmCell,
  breakerWord,
  breakerWords,
  lastExitWords,
  lastRecoveryCell,
  outcomeWords,
  rowWords,
  shownName,
  upCell,
} from './words.ts';

/** The table of processes, the most urgent first; below each row, what has no column. Printable. */
export function processRows(status: DaemonStatus, now: Date, options: TableOptions): string[] {
  const { processes, store } = status;
  const sorted = [...processes].sort(
    (a, b) => urgency(a.state) - urgency(b.state) || (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
  const watches = processes.some(({ watched }) => watched !== null);
  const rows = sorted.map((process): Cell[] => [
    { text: shownName(process.name) },
    { text: process.state, style: stateColours[process.state] },
    alarmCell(process),
    breakerWord(process.breaker),
    ...(watches ? [upCell(process, now), { text: String(process.watched?.exits ?? '-') }] : []),
    lastRecoveryCell(process.lastRecovery, now),
  ]);
  const header = ['PROCESS', 'STATE', 'ALARM', 'BREAKER', ...(watches ? ['UP', 'EXITS'] : []), 'LAST RECOVERY'];
  const [head = [], ...blocks] = tableBlocks(header, rows, options);
  const below = sorted.map((process) => factLines(factsBelow(process, store, now), { indent: 2, label: 14 }, options));
  return [...head, ...blocks.flatMap((block, i) => [...block, ...(below[i] ?? [])])];
}

/** The facts below the row of a process, without repetition. */
function factsBelow(process: ProcessStatus, { lastPollAt }: DaemonStatus['store'], now: Date): Fact[] {
  const { state, reason, rows, inAlarm, watched, breaker, supervisor, lastRecovery, concern } = process;
  const known = inAlarm === null && lastPollAt !== null ? { readAt: lastPollAt } : 'in alarm';
  const isAtRest = breaker.state === 'closed' && breaker.failures === 0;
  const facts: Fact[] = [
    ...rows.slice(0, MOST_ROWS).map((row): Fact => ({ label: 'alarm', text: rowWords(row, known, now) })),
    ...(rows.length > MOST_ROWS ? [{ label: '', text: `and ${rows.length - MOST_ROWS} more rows: status NAME` }] : []),
    ...(isAtRest ? [] : [{ label: 'breaker', text: breakerWords(breaker).text }]),
    ...(watched?.lastExit ? [{ label: 'last exit', text: lastExitWords(watched.lastExit, now) }] : []),
    ...(supervisor ? [{ label: 'kept by', text: supervisor }] : []),
    ...failureFact(lastRecovery),
    ...(concern ? [{ label: 'no restart', text: `would not be started again: ${concern}`, style: 'yellow' as const }] : []),
  ];
  const sentence: Fact[] = reason === null ? [] : [{ label: null, text: reason, style: stateColours[state] }];
  return [...sentence, ...facts.filter(({ text }) => reason === null || !reason.includes(text))];
}

function failureFact(last: ProcessStatus['lastRecovery']): Fact[] {
  if (last === null || last.outcome === 'recovered' || last.detail === '') return [];
  return [{ label: last.outcome === 'failed' ? 'last failure' : outcomeWords[last.outcome], text: last.detail }];
}

/** The most rows that are shown of one process; thousands may have the same name. */
const MOST_ROWS = 10;
