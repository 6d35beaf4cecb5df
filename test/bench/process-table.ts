import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { FIELD_READERS, type ProcessField } from '../../src/system/proc/fields.ts';
import { signalProcess } from '../../src/system/proc/signal.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { pythonWithPsutil } from '../helpers/psutil.ts';
import { waitFor } from '../helpers/wait-for.ts';
import type { BenchPart } from './bench-world.ts';
import { median } from './measure.ts';
import { type Look, openPsutil, type PsutilLooks, WARM_UPS } from './psutil-looks.ts';
import { type BenchRow, plainRow, ratioRow } from './report.ts';

const IDLE = 1000;
/**
 * Every fifth has a socket for its output, as systemd gives one of the journal to each service: psutil reads the kernel's tables anew
 * for each of them. Of processes without any socket it is four to six times as slow as we are.
 */
const SOCKET_EVERY = 5;
const ROUNDS = 11;

/** What a look at a thousand idle processes takes beside ps(1) and psutil, all in turn, so that the machine's moods are shared. */
export const processTable: BenchPart = async (_server, tell) => {
  tell(`starting ${IDLE} processes`);
  const table = new ProcessTable();
  // By a shell: a thousand objects of Node's own for them would weigh on what is measured.
  const start = `if [ $((i % ${SOCKET_EVERY})) = 0 ]; then sleep 600 & else sleep 600 > /dev/null & fi`;
  const script = `i=0; while [ $i -lt ${IDLE} ]; do ${start}; i=$((i + 1)); done; wait`;
  // Node's pipes are sockets.
  const shell = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const sleeping = () =>
    table.list(['ppid', 'name', 'startTime']).filter(({ ppid, name }) => ppid === shell.pid && name === 'sleep');
  let psutil: PsutilLooks | undefined;
  try {
    await waitFor('all of them run', () => sleeping().length === IDLE);
    const python = pythonWithPsutil();
    psutil = python === undefined ? undefined : await openPsutil(python);
    return await measure(table, psutil, tell);
  } finally {
    await psutil?.close();
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

async function measure(
  table: ProcessTable,
  psutil: PsutilLooks | undefined,
  tell: (progress: string) => void,
): Promise<BenchRow[]> {
  const all = Object.keys(FIELD_READERS) as ProcessField[];
  const looks = { ps: [] as Look[], psFields: [] as Look[], psutil: [] as Look[], allFields: [] as Look[] };
  // Neither side's first looks count: they fill caches, and our code is compiled meanwhile.
  for (let warm = 0; warm < WARM_UPS; warm += 1) [PS_FIELDS, all].forEach((fields) => void table.list<ProcessField>(fields));
  for (let round = 1; round <= ROUNDS; round += 1) {
    tell(`process table: round ${round} of ${ROUNDS}`);
    looks.ps.push(timed(() => lines(spawnSync('ps', ['aux'], { maxBuffer: 1e9 }).stdout) - 1));
    looks.psFields.push(timed(() => table.list(PS_FIELDS).length));
    if (psutil !== undefined) looks.psutil.push(await psutil.look());
    looks.allFields.push(timed(() => table.list(all).length));
  }
  const [ps, psFields, allFields] = [middle(looks.ps), middle(looks.psFields), middle(looks.allFields)];
  const rows: BenchRow[] = [
    ratioRow({
      what: seen(psFields, 'our table, the fields of ps aux'),
      value: psFields.wallMs,
      unit: 'ms',
      floor: ps.wallMs,
      atMost: 2,
      of: seen(ps, 'ps aux'),
    }),
  ];
  const what = seen(allFields, `our table, all ${all.length} fields`);
  if (psutil === undefined) {
    const skipped = 'psutil: skipped, no Python here has it (python3-psutil)';
    return [...rows, { ...plainRow(what, allFields.wallMs, 'ms'), against: skipped }];
  }
  const theirs = middle(looks.psutil);
  const of = seen(theirs, 'psutil, as_dict()');
  return [
    ...rows,
    ratioRow({ what, value: allFields.wallMs, unit: 'ms', floor: theirs.wallMs, atMost: 0.2, of }),
    ratioRow({ what: 'of it CPU', value: allFields.cpuMs, unit: 'ms', floor: theirs.cpuMs, of }),
  ];
}

/** `work` looks, and says how many processes it saw. */
function timed(work: () => number): Look {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const count = work();
  const { user, system } = process.cpuUsage(before);
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000, count };
}

function middle(looks: readonly Look[]): Look {
  const of = (key: keyof Look): number => median(looks.map((look) => look[key]));
  return { wallMs: of('wallMs'), cpuMs: of('cpuMs'), count: of('count') };
}

function seen({ count }: Look, by: string): string {
  return `${count.toLocaleString('en')} processes: ${by}`;
}

function lines(output: Buffer): number {
  return output.toString('latin1').trimEnd().split('\n').length;
}

/** The children first: after the shell nobody would know whose they were. It ends with the last of them. */
async function end(shell: ChildProcess, killChildren: () => void): Promise<void> {
  const ended = once(shell, 'exit');
  while (shell.exitCode === null && shell.signalCode === null) {
    killChildren();
    await Promise.race([ended, delay(20)]);
  }
}
