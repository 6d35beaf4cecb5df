import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { FIELD_READERS, type ProcessField } from '../../src/system/process-fields.ts';
import { ProcessTable } from '../../src/system/process-table.ts';
import { signalProcess } from '../../src/system/signal-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import type { BenchPart } from './bench-world.ts';
import { median } from './measure.ts';
import type { BenchRow } from './report.ts';

const IDLE = 1000;
const ROUNDS = 9;
/** psutil takes seconds. */
const PSUTIL_ROUNDS = 5;

/** What a look at a thousand idle processes takes beside ps(1) and psutil, all in turn, so that the machine's moods are shared. */
export const processTable: BenchPart = async (_server, tell) => {
  tell(`starting ${IDLE} processes`);
  const table = new ProcessTable();
  // By a shell: a thousand objects of Node's own for them would weigh on what is measured.
  const script = `i=0; while [ $i -lt ${IDLE} ]; do sleep 600 & i=$((i + 1)); done; wait`;
  const shell = spawn('sh', ['-c', script], { stdio: 'ignore' });
  const sleeping = () =>
    table.list(['ppid', 'name', 'startTime']).filter(({ ppid, name }) => ppid === shell.pid && name === 'sleep');
  try {
    await waitFor('all of them run', () => sleeping().length === IDLE);
    return measure(table, tell);
  } finally {
    await end(shell, () => sleeping().forEach((child) => void signalProcess(table, child, constants.signals.SIGKILL)));
  }
};

/** The columns of `ps aux`. */
const PS_FIELDS = [
  'userName',
  'meanCpuPercent',
  'memoryPercent',
  'vmsBytes',
  'rssBytes',
  'terminal',
  'state',
  'startedAt',
  'userCpuMs',
  'systemCpuMs',
  'argv',
] as const satisfies readonly ProcessField[];

function measure(table: ProcessTable, tell: (progress: string) => void): BenchRow[] {
  const all = Object.keys(FIELD_READERS) as ProcessField[];
  const psutil = psutilMs() !== undefined;
  const times = { ps: [] as number[], psFields: [] as number[], psutil: [] as number[], allFields: [] as number[] };
  for (let round = 1; round <= ROUNDS; round += 1) {
    tell(`process table: round ${round} of ${ROUNDS}`);
    times.ps.push(timed(() => spawnSync('ps', ['aux'], { maxBuffer: 1e9 })));
    times.psFields.push(timed(() => table.list(PS_FIELDS)));
    if (psutil && round <= PSUTIL_ROUNDS) times.psutil.push(psutilMs() ?? Number.NaN);
    times.allFields.push(timed(() => table.list(all)));
  }
  const count = table.list([]).length.toLocaleString('en');
  const [ps, psFields, allFields] = [median(times.ps), median(times.psFields), median(times.allFields)];
  const rows: BenchRow[] = [
    { what: `${count} processes: ps aux`, value: ps, unit: 'ms', against: '', reached: undefined },
    {
      what: `${count} processes: our table, the fields of ps aux`,
      value: psFields,
      unit: 'ms',
      against: `at most twice ps aux (${(psFields / ps).toFixed(2)} of it)`,
      reached: psFields <= 2 * ps,
    },
  ];
  const allRow = { what: `${count} processes: our table, all ${all.length} fields`, value: allFields, unit: 'ms' };
  if (!psutil) return [...rows, { ...allRow, against: 'psutil: skipped, not installed (python3-psutil)', reached: undefined }];
  const theirs = median(times.psutil);
  const against = `at least five times as fast as psutil (${(theirs / allFields).toFixed(1)} times)`;
  return [
    ...rows,
    { what: `${count} processes: psutil, as_dict()`, value: theirs, unit: 'ms', against: '', reached: undefined },
    { ...allRow, against, reached: allFields * 5 <= theirs },
  ];
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** One look of psutil's, without the start of Python; undefined where it is not installed. */
function psutilMs(): number | undefined {
  const { status, stdout } = spawnSync('python3', ['-c', PSUTIL]);
  return status === 0 ? Number(stdout.toString()) * 1000 : undefined;
}

/** The second look: the first one fills psutil's own caches. */
const PSUTIL = `
import psutil, time
def look():
    start = time.perf_counter()
    for process in psutil.process_iter():
        try: process.as_dict()
        except psutil.NoSuchProcess: pass
    return time.perf_counter() - start
look()
print(look())
`;

/** The children first: after the shell nobody would know whose they were. It ends with the last of them. */
async function end(shell: ChildProcess, killChildren: () => void): Promise<void> {
  const ended = once(shell, 'exit');
  while (shell.exitCode === null && shell.signalCode === null) {
    killChildren();
    await Promise.race([ended, delay(20)]);
  }
}
