import type { ProcessDetails, RunningStatus } from '../../control/orders/describe.ts';
import { type Fact, factLines } from '../terminal/fact-lines.ts';
import { localTime, since } from '../terminal/local-time.ts';
import { paint, type Style } from '../terminal/output.ts';
import { leastWidth, type TableOptions } from '../terminal/table.ts';
import { wrap } from '../terminal/wrap.ts';
import { storeFact } from './header.ts';
import { stateColours } from './state-colours.ts';
import {
  alarmCell,
  breakerWords,
  heldWords,
  isDown,
  lastExitWords,
  outcomeColours,
  outcomeWords,
  type RowKnown,
  refusalWords,
  rowWords,
  shownName,
} from './words.ts';

/** Everything that is known about one process, as lines for people, at the time `now`; printable. */
export function renderDetails(details: ProcessDetails, now: Date, options: TableOptions): string[] {
  const width = options.width === undefined ? undefined : Math.max(leastWidth, options.width);
  const facts = [
    ...stateFacts(details, now),
    ...alarmFacts(details, now),
    ...restartFacts(details, now),
    ...lifeFacts(details, now),
    ...recoveryFacts(details, now),
    ...previewFacts(details),
  ];
  return [
    ...wrap(shownName(details.process.name), width).map((line) => paint('bold', line, options.colour)),
    ...factLines(facts, { indent: 0, label: 15 }, options),
  ];
}

function stateFacts({ process: { state, reason }, pid, store }: ProcessDetails, now: Date): Fact[] {
  return [
    { label: 'as of', text: localTime(now) },
    ...(pid === 0 ? [{ label: 'daemon', text: 'none runs', style: 'red' as const }] : []),
    ...(store.state === 'ok' ? [] : [storeFact(store, now)]),
    { label: 'state', text: state, style: stateColours[state] },
    ...(reason === null ? [] : [{ label: '', text: reason, style: stateColours[state] }]),
  ];
}

/** The rows as the store has them now, else those in alarm when it was last read; also the kept alarm. */
function alarmFacts({ process, rows, store: { lastPollAt } }: ProcessDetails, now: Date): Fact[] {
  const alarm: Fact = { label: 'alarm', ...alarmCell(process) };
  if (rows !== null) {
    const shown = rows.map((row) => rowWords(row, rowKnown(row.inAlarm), now, 'exact'));
    return [alarm, ...listed('rows', shown, 'none of that name')];
  }
  if (lastPollAt === null) return [alarm, { label: 'rows', text: 'not known: they have not been read yet', style: 'yellow' }];
  const last = process.rows.map((row) => rowWords(row, { readAt: lastPollAt }, now, 'exact'));
  return [alarm, ...listed('rows', last, `not known; none was in alarm ${since(lastPollAt, now)} ago`, 'yellow')];
}

function rowKnown(inAlarm: boolean | null): RowKnown {
  if (inAlarm === null) return 'may be in alarm: alarma or sound is not a number';
  return inAlarm ? 'in alarm' : 'not in alarm';
}

/** What prevents a restart, and how the process is restarted. */
function restartFacts({ process, hold, restart, unit, running }: ProcessDetails, now: Date): Fact[] {
  const { breaker, concern, pinnedAt, supervisor, waitingFor } = process;
  return [
    { label: 'target', text: `${restart.target === '' ? 'none' : restart.target}, strategy ${restart.strategy}` },
    { label: 'unit', text: unit ?? (running === null ? 'not known' : 'none') },
    { label: 'breaker', ...breakerWords(breaker) },
    hold === null
      ? { label: 'hold', text: 'none' }
      : { label: 'hold', text: `${hold.name === null ? 'all processes, ' : ''}${heldWords(hold, now)}`, style: 'yellow' },
    ...listed('waits for', waitingFor),
    ...(supervisor ? [{ label: 'kept by', text: supervisor }] : []),
    ...(pinnedAt ? [{ label: 'pinned', text: `since ${localTime(pinnedAt)}` }] : []),
    ...(concern ? [{ label: 'no restart', text: `would not be started again: ${concern}`, style: 'yellow' as const }] : []),
  ];
}

/** What runs, and how it last ended. */
function lifeFacts({ process, running, output }: ProcessDetails, now: Date): Fact[] {
  const { watched } = process;
  const isFault = isDown(process);
  const facts: Fact[] =
    running === null
      ? [{ label: 'runs', text: 'not known', style: 'yellow' }]
      : running.length === 0
        ? [{ label: 'runs', text: 'nothing', style: isFault ? 'red' : undefined }]
        : runningFacts(running, now);
  return [
    ...facts,
    { label: 'output', text: output ?? 'not known' },
    ...(watched === null
      ? [{ label: 'watched', text: 'no (watch_exit)' }]
      : [
          { label: 'exits', text: `${watched.exits} unexpected` },
          { label: 'last exit', text: watched.lastExit === null ? 'none seen' : lastExitWords(watched.lastExit, now, 'exact') },
        ]),
  ];
}

function runningFacts(running: readonly RunningStatus[], now: Date): Fact[] {
  return running.flatMap(({ pid, since: began, command, cpuPercent, memoryBytes }, i): Fact[] => {
    const memory = memoryBytes === null ? 'unknown' : memoryWords(memoryBytes);
    const cpu = cpuPercent === null ? 'unknown' : `${cpuPercent.toFixed(1)} %`;
    return [
      { label: i === 0 ? 'runs' : '', text: `pid ${pid}, up ${since(began, now)}, memory ${memory}, CPU ${cpu}` },
      { label: '', text: command, style: 'dim' },
    ];
  });
}

/** `12.3 MB`; 1 MB is a million bytes. */
function memoryWords(bytes: number): string {
  if (bytes < 999_950) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 999_950_000 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** The last recoveries, with their output. */
function recoveryFacts({ recoveries }: ProcessDetails, now: Date): Fact[] {
  if (recoveries.length === 0) return [{ label: 'recoveries', text: 'none recorded' }];
  return recoveries.flatMap(({ at, outcome, detail, output }, i): Fact[] => [
    {
      label: i === 0 ? 'recoveries' : '',
      text: `${localTime(at)} (${since(at, now)} ago) ${outcomeWords[outcome]}${detail === '' ? '' : `: ${detail}`}`,
      style: outcomeColours[outcome],
    },
    ...output.map((line): Fact => ({ label: '', text: `| ${line}`, style: 'dim' })),
  ]);
}

/** What a restart would do. */
function previewFacts({ restart: { stops, starts, refusals, failures, warnings } }: ProcessDetails): Fact[] {
  return [
    ...listed(
      'restart',
      refusals.map((line) => refusalWords(line, failures)),
      undefined,
      'red',
    ),
    ...listed(refusals.length === 0 ? 'restart' : '', [
      ...stops.map((line) => `would stop ${line}`),
      ...starts.map((line) => `would start ${line}`),
    ]),
    ...(warnings ?? []).map((text): Fact => ({ label: 'warning', text, style: 'yellow' })),
  ];
}

/** Several texts under one label; `none` is shown if there are none. */
function listed(label: string, texts: readonly string[], none?: string, style?: Style): Fact[] {
  if (texts.length === 0) return none === undefined ? [] : [{ label, text: none, style }];
  return texts.map((text, i) => ({ label: i === 0 ? label : '', text, style }));
}
