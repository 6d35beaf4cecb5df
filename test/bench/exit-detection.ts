import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Mariadb } from '../helpers/mariadb.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import { type BenchPart, BenchWorld } from './bench-world.ts';
import { median } from './measure.ts';
import { type BenchRow, ratioRow } from './report.ts';

const TURNS = 3;
/** Of each way in a turn. */
const ROUNDS = 10;
/**
 * Chosen: 4.6 was measured. Between the death and the start the daemon writes the alarm to the database, reads it there, notes in
 * state.db what it is about to do, and makes sure that no other copy runs.
 */
const DIRECT = 6;
/**
 * Promised; measured 2.4 to 3.1, and 1.6 where the kernel does not wait (`/sys/kernel/rcu_expedited`): a systemd before 256 moves each
 * new process into its control group, and for that the kernel waits until all readers are through, 11 ms at the median where HZ=250.
 */
const TRANSIENT = 1.6;
const SCRIPT = 'test/helpers/exit-rounds.ts';

/** Milliseconds from a death to its replacement running: of the daemon's, and of a bare watcher's, in turns. */
export interface ExitTimes {
  readonly ours: readonly number[];
  readonly floor: readonly number[];
}

/** From the death of a process that is no child of the daemon's to its replacement running, at a poll every 300 s. */
export const exitDetection: BenchPart = (server, tell) =>
  BenchWorld.use(server, 16, {}, async ({ world }) => {
    const [direct, transient]: [ExitTimes[], ExitTimes[]] = [[], []];
    const inContainer = containerProblem() === undefined;
    const container = inContainer ? await bootForExits(server) : undefined;
    try {
      for (let turn = 1; turn <= TURNS; turn++) {
        tell(`deaths, turn ${turn} of ${TURNS}`);
        const rounds = { database: world.database, rounds: ROUNDS };
        if (container === undefined) {
          direct.push(await onHost(server, rounds));
          continue;
        }
        direct.push(await exitTimes(container, { ...rounds, how: 'direct' }));
        transient.push(await exitTimes(container, { ...rounds, how: 'transient' }));
      }
    } finally {
      await container?.stop();
    }
    return exitRows(direct, transient);
  });

/** A container with a systemd to which the server's socket is shown. */
export function bootForExits(server: Mariadb, nspawn: readonly string[] = []): Promise<SystemdContainer> {
  return bootSystemdContainer({ nspawn: [`--bind=${dirname(server.socket)}:${DATABASE}`, ...nspawn] });
}

const DATABASE = '/srv/database';

/** What the rounds are made with. */
interface ExitRounds {
  /** Its name; p1 is registered in it. */
  readonly database: string;
  readonly rounds: number;
}

/** Runs exit-rounds.ts in there; `direct`: where no systemd is to be seen. `project`: whose daemon it is, a folder inside. */
export async function exitTimes(
  container: SystemdContainer,
  { how, project, ...rounds }: ExitRounds & { readonly how: 'direct' | 'transient'; readonly project?: string },
): Promise<ExitTimes> {
  const script = [container.node, `${container.project}/${SCRIPT}`, argument(`${DATABASE}/server.sock`, rounds, project)];
  const hide = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs hidden /run/systemd && exec "$@"', 'sh'];
  return JSON.parse(await container.read(how === 'direct' ? [...hide, ...script] : script, { limitMs: 240_000 })) as ExitTimes;
}

async function onHost(server: Mariadb, rounds: ExitRounds): Promise<ExitTimes> {
  const args = [join(import.meta.dirname, '../..', SCRIPT), argument(server.socket, rounds)];
  return JSON.parse((await promisify(execFile)(process.execPath, args, { timeout: 240_000 })).stdout) as ExitTimes;
}

function argument(socket: string, { database, rounds }: ExitRounds, project?: string): string {
  return JSON.stringify({ name: 'p1', rounds, project, database: { socket, user: 'root', database } });
}

function exitRows(direct: readonly ExitTimes[], transient: readonly ExitTimes[]): BenchRow[] {
  const middle = (turns: readonly ExitTimes[], key: keyof ExitTimes): number => median(turns.flatMap((turn) => turn[key]));
  const what = (how: string): string => `a death to its replacement running, started ${how}, median`;
  const rows = [
    ratioRow({
      what: what('by the daemon itself'),
      value: middle(direct, 'ours'),
      unit: 'ms',
      floor: middle(direct, 'floor'),
      atMost: DIRECT,
      of: 'a bare watcher; pm2 12, supervisord 1,013, Monit 2,064 ms once',
    }),
  ];
  if (transient.length === 0) return rows;
  return [
    ...rows,
    ratioRow({
      what: what('through a transient unit'),
      value: middle(transient, 'ours'),
      unit: 'ms',
      floor: middle(direct, 'ours'),
      atMost: TRANSIENT,
      of: 'the daemon itself',
    }),
  ];
}
