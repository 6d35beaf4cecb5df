import { writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { alarm } from './alarm.ts';
import type { BenchPart } from './bench-world.ts';
import { bursts, sick } from './bursts.ts';
import { checks } from './checks.ts';
import { events } from './events.ts';
import { exitDetection } from './exit-detection.ts';
import { idle } from './idle.ts';
import { memory } from './memory.ts';
import { pollers } from './pollers.ts';
import { processEvents } from './process-events.ts';
import { processTable } from './process-table.ts';
import { type BenchRow, table } from './report.ts';
import { rest } from './rest.ts';
import { systemd } from './systemd.ts';

/**
 * `npm run bench -- [--only PART]… [--json FILE]`: what the daemon costs and how fast it heals, on a private MariaDB. Prints a
 * table; exit code 1 where a target was missed. Every target is a ratio or a difference to a floor, or a count: machines differ by a factor of four, and
 * the floor is what this one takes for the least that the work consists of, measured in the same run.
 */
const parts: Readonly<Record<string, BenchPart>> = {
  rest,
  idle,
  alarm,
  bursts,
  sick,
  memory,
  pollers,
  exits: exitDetection,
  systemd,
  'process-events': processEvents,
  'process-table': processTable,
  events,
  checks,
};

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true }, json: { type: 'string' } } });
const names = values.only ?? Object.keys(parts);
const unknown = names.find((name) => !Object.hasOwn(parts, name));
const problem = unknown === undefined ? mariadbProblem() : `no part ${unknown} (expected ${Object.keys(parts).join(', ')})`;
if (problem === undefined) await run();
else {
  console.error(`bench: ${problem}`);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const startedMs = performance.now();
  const tell = (progress: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${progress}`);
  };
  const rows: BenchRow[] = [];
  const server = await startMariadb({ args: ['--innodb-buffer-pool-size=64M'] });
  try {
    for (const name of names) rows.push(...((await parts[name]?.(server, tell)) ?? []));
  } finally {
    tell('');
    await server.stop();
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const machine = `Node.js ${process.version}, Linux ${release()} ${arch()}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`;
  console.log(`${table(rows)}\n\n${machine}; ${seconds} s`);
  if (values.json !== undefined) {
    const report = { at: new Date().toISOString(), machine, seconds, rows };
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (rows.some(({ reached }) => reached === false)) process.exitCode = 1;
}
