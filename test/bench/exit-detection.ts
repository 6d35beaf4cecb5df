import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { bootSystemdContainer, containerProblem } from '../helpers/systemd-container.ts';
import { type BenchPart, BenchWorld } from './bench-world.ts';
import { median } from './measure.ts';
import type { BenchRow } from './report.ts';

const ROUNDS = 20;

/** From the death of a process that is no child of the daemon's to its replacement running, at a poll every 300 s. */
export const exitDetection: BenchPart = (server, tell) =>
  BenchWorld.use(server, 16, {}, async ({ world }) => {
    const rounds = (socket: string): string =>
      JSON.stringify({ name: 'p1', rounds: ROUNDS, database: { socket, user: 'root', database: world.database } });
    const script = 'test/helpers/exit-rounds.ts';
    tell('deaths, started by the daemon itself');
    const args = [join(import.meta.dirname, '../..', script), rounds(server.socket)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 240_000 });
    const rows = [row('started by the daemon itself', JSON.parse(stdout), 25)];
    if (containerProblem() !== undefined) return rows;
    tell('deaths, started through a transient unit');
    const place = dirname(server.socket);
    const container = await bootSystemdContainer({ nspawn: [`--bind=${place}:/srv/database`] });
    try {
      const inside = rounds(server.socket.replace(place, '/srv/database'));
      const report = await container.read([container.node, `${container.project}/${script}`, inside], { limitMs: 240_000 });
      return [...rows, row('started through a transient unit', JSON.parse(report), 80)];
    } finally {
      await container.stop();
    }
  });

function row(how: string, times: readonly number[], limitMs: number): BenchRow {
  const value = median([...times]);
  return {
    what: `a death to its replacement running, ${how}, median`,
    value,
    unit: 'ms',
    against: `under ${limitMs} ms (pm2 12, supervisord 1,013, Monit 2,064)`,
    reached: value < limitMs,
    bash: undefined,
  };
}
