import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Mariadb } from '../helpers/mariadb.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type BenchPart, BenchWorld } from './bench-world.ts';
import { medianResidentMb } from './floors.ts';
import { childrenOf, cpuMs, residentMb } from './measure.ts';
import { type BenchRow, differenceRow } from './report.ts';

const CHECKS = 1000;
const INTERVAL_S = 10;
const LOOKS = 6;

/** The targets of the issue "Checks that raise alarms", §6 and §2. */
const LATE_MS = 200;
const WORKER_MB = 110;
const WORKER_CORE_PERCENT = 25;
const MORE_MB = 12;

/** A thousand URL checks, each every ten seconds, against a server of this process: how late they come, and what they cost. */
export const checks: BenchPart = async (server, tell) => {
  tell('no checks');
  const [none] = await withChecks(server, {}, async (pid) => [await medianResidentMb(pid)]);
  const arrivals = new Map<string, number[]>();
  const http = createServer((request, response) => {
    const path = request.url ?? '';
    arrivals.set(path, [...(arrivals.get(path) ?? []), performance.now()]);
    response.end('well');
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const sections = Object.fromEntries(
    Array.from({ length: CHECKS }, (_, i) => [
      `check.c${i}`,
      { type: 'url', url: `http://127.0.0.1:${port}/${i}`, interval: INTERVAL_S, expect_body: 'well' },
    ]),
  );
  try {
    const rows = await withChecks(server, sections, async (pid) => {
      tell(`${CHECKS} checks: ${LOOKS} looks each`);
      await waitFor(
        'each has looked twice',
        () => arrivals.size === CHECKS && [...arrivals.values()].every((at) => at.length >= 2),
        300_000,
      );
      const worker = Number(childrenOf(pid)[0]);
      const [cpu, beganMs] = [cpuMs(worker), performance.now()];
      await delay(LOOKS * INTERVAL_S * 1000);
      const percent = ((cpuMs(worker) - cpu) / (performance.now() - beganMs)) * 100;
      const ours = await medianResidentMb(pid);
      return [
        below('url checks: lateness, p99', percentile(latenesses([...arrivals.values()]), 0.99), 'ms', LATE_MS),
        below('url checks: memory of the worker', residentMb(worker), 'MB', WORKER_MB),
        below('url checks: CPU of the worker, of a core', percent, '%', WORKER_CORE_PERCENT),
        differenceRow({
          what: `memory of the daemon with ${CHECKS} checks`,
          value: ours,
          unit: 'MB',
          floor: none ?? Number.NaN,
          of: 'the same without',
          atMostMore: MORE_MB,
        }),
      ];
    });
    return rows;
  } finally {
    http.closeAllConnections();
    http.close();
  }
};

/** Starts a daemon with these sections, and looks at it once it has settled. */
function withChecks<T>(
  server: Mariadb,
  sections: Record<string, Record<string, string | number>>,
  look: (pid: number) => Promise<T[]>,
): Promise<T[]> {
  return BenchWorld.use(server, 16, { monitor: { check_interval: 60 }, ...sections }, async (bench) => {
    const daemon = await bench.startDaemon();
    try {
      await delay(SETTLED_MS);
      return await look(daemon.pid);
    } finally {
      await daemon.stop();
    }
  });
}

/** How much later than an interval after the look before each came, in milliseconds. */
function latenesses(arrivals: readonly (readonly number[])[]): number[] {
  return arrivals.flatMap((at) => at.slice(1).map((now, i) => Math.max(now - (at[i] ?? 0) - INTERVAL_S * 1000, 0)));
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

function below(what: string, value: number, unit: string, atMost: number): BenchRow {
  return { what, value, unit, against: `at most ${atMost} ${unit}`, reached: value <= atMost };
}

const SETTLED_MS = 5000;
