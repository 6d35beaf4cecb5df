import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { bundle } from '../helpers/daemon.ts';
import { type BenchPart, BenchWorld } from './bench-world.ts';
import { nodeArgs } from './line-program.ts';
import { anonymousMb, median, residentMb, sleeps } from './measure.ts';
import { type BenchRow, differenceRow, plainRow, ratioRow } from './report.ts';

const PAIRS = 5;
/** What a start has left behind is over by then. */
const SETTLED_MS = 5000;
/** By then V8 has tidied up after the start, and the connection of the first poll was idle for so long that it was let go. */
const QUIET_AFTER_MS = 80_000;
const QUIET_MS = 60_000;
/** So many polls, faster than at rest: what V8 compiles and keeps for what is done again and again is there by then. */
const POLLS = 600;
const POLL_S = 0.1;

/** The targets of the issue "The house", §4: MB more than an empty Node, its start's multiple, wake-ups in five seconds. */
const MORE_MB = 18;
const START = 4;
const WAKE_UPS = 1;

/**
 * The daemon at rest, with one poll a second and nothing else on, beside an empty Node with the unit's options, in turns: memory, and the
 * time until it is ready. Then how often anything wakes it between two polls.
 */
export const rest: BenchPart = (server, tell) =>
  BenchWorld.use(server, 16, { monitor: { check_interval: 1 }, logging: { format: 'text' } }, async (bench) => {
    const daemon = [bundle, 'run', '--config', bench.world.configFile];
    const [ours, empties]: [Start[], Start[]] = [[], []];
    for (let pair = 1; pair <= PAIRS; pair++) {
      tell(`at rest: pair ${pair} of ${PAIRS}`);
      empties.push(await started(EMPTY, look));
      ours.push(await started(daemon, look));
    }
    tell(`at rest: ${POLLS} polls`);
    bench.world.configure({ monitor: { check_interval: POLL_S } });
    const { result: later } = await started(daemon, lookLater);
    tell('at rest: wake-ups');
    bench.world.configure({ monitor: { check_interval: 300 } });
    const { result: wakeUps } = await started(daemon, wakeUpsInFiveSeconds);
    return [...memoryRows(ours, empties), ...laterRows(later, empties), startRow(ours, empties), wakeUpRow(wakeUps)];
  });

const EMPTY = ['-e', 'console.log("started"); setInterval(() => {}, 1e9)'];

interface Start<Result = Memory> {
  readonly readyMs: number;
  readonly result: Result;
}

interface Memory {
  readonly residentMb: number;
  readonly anonymousMb: number;
}

/** Starts Node with `argv`, and looks at it once it has said `started`. It is ended after. */
async function started<Result>(argv: readonly string[], lookAt: (pid: number) => Promise<Result>): Promise<Start<Result>> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...nodeArgs(), ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  try {
    await said(child, 'started');
    const readyMs = performance.now() - startedMs;
    return { readyMs, result: await lookAt(child.pid ?? 0) };
  } finally {
    child.kill();
    await closed;
  }
}

async function said({ stdout }: ChildProcess, word: string): Promise<void> {
  let text = '';
  // Read on to the end: it must not block.
  await new Promise<void>((resolve, reject) => {
    stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.includes(word)) return;
      text += chunk;
      if (text.includes(word)) resolve();
    });
    stdout?.once('end', () => reject(new Error(`it never said ${word}: ${text}`)));
  });
}

async function look(pid: number): Promise<Memory> {
  await delay(SETTLED_MS);
  return { residentMb: residentMb(pid), anonymousMb: anonymousMb(pid) };
}

async function lookLater(pid: number): Promise<Memory> {
  await delay(POLLS * POLL_S * 1000);
  return look(pid);
}

async function wakeUpsInFiveSeconds(pid: number): Promise<number> {
  await delay(QUIET_AFTER_MS);
  const before = sleeps(pid);
  await delay(QUIET_MS);
  return ((sleeps(pid) - before) * 5000) / QUIET_MS;
}

function middle(starts: readonly Start[], key: keyof Memory): number {
  return median(starts.map(({ result }) => result[key]));
}

function memoryRows(ours: readonly Start[], empties: readonly Start[]): BenchRow[] {
  const anonymous = middle(ours, 'anonymousMb') - middle(empties, 'anonymousMb');
  return [
    differenceRow({
      what: 'resident memory at rest',
      value: middle(ours, 'residentMb'),
      unit: 'MB',
      floor: middle(empties, 'residentMb'),
      atMostMore: MORE_MB,
      of: 'an empty Node',
    }),
    plainRow('of the difference: anonymous memory', anonymous, 'MB'),
  ];
}

function laterRows(later: Memory, empties: readonly Start[]): BenchRow[] {
  return [
    differenceRow({
      what: `resident memory after ${POLLS} polls`,
      value: later.residentMb,
      unit: 'MB',
      floor: middle(empties, 'residentMb'),
      atMostMore: MORE_MB,
      of: 'an empty Node',
    }),
    plainRow('of the difference: anonymous memory', later.anonymousMb - middle(empties, 'anonymousMb'), 'MB'),
  ];
}

function startRow(ours: readonly Start[], empties: readonly Start[]): BenchRow {
  const of = (starts: readonly Start[]): number => median(starts.map(({ readyMs }) => readyMs));
  return ratioRow({
    what: 'start until ready',
    value: of(ours),
    unit: 'ms',
    floor: of(empties),
    atMost: START,
    of: 'an empty Node',
  });
}

function wakeUpRow(wakeUps: number): BenchRow {
  return {
    what: 'wake-ups at rest between polls, all threads',
    value: wakeUps,
    unit: 'in 5 s',
    against: `at most ${WAKE_UPS}`,
    reached: wakeUps <= WAKE_UPS,
  };
}
