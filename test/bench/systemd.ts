import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import type { BenchPart } from './bench-world.ts';
import { median } from './measure.ts';
import { type BenchRow, ratioRow } from './report.ts';
import type { SystemdFigures } from './systemd-figures.ts';

const ROUNDS = 30;
const BURSTS = 3;

/** What the daemon does through PID 1, to the programs that one would spawn for it, in a container with a systemd. */
export const systemd: BenchPart = async (_server, tell) => {
  const problem = containerProblem();
  if (problem !== undefined) {
    console.error(`bench: part systemd is left out: ${problem}`);
    return [];
  }
  tell('what is done through systemd');
  const container = await bootSystemdContainer();
  try {
    return rows(await systemdFigures(container, { project: container.project, rounds: ROUNDS, bursts: BURSTS }));
  } finally {
    await container.stop();
  }
};

/** Runs systemd-rounds.ts in there, on the checkout in that folder inside. */
export async function systemdFigures(
  { node, project, read }: SystemdContainer,
  rounds: { readonly project: string; readonly rounds: number; readonly bursts: number },
): Promise<SystemdFigures> {
  const script = `${project}/test/helpers/systemd-rounds.ts`;
  return JSON.parse(await read([node, script, JSON.stringify(rounds)], { limitMs: 600_000 })) as SystemdFigures;
}

function rows(figures: SystemdFigures): BenchRow[] {
  return FIGURES.map(({ key, what, unit, of, atMost }) => {
    const { ours, floor } = figures[key];
    return ratioRow({ what: `${what}, median`, value: median(ours), unit, floor: median(floor), atMost, of });
  });
}

const RUN = 'systemd-run --wait, spawned';

/** Promised are 0.45 and 0.5; the other targets are chosen, near what was measured on a busy machine. */
const FIGURES = [
  // Measured 0.15 to 0.22; 0.27 to 0.33.
  { key: 'show', what: 'state of a unit', unit: 'ms', of: 'systemctl show, spawned', atMost: 0.3 },
  { key: 'firstShow', what: 'state of a unit, no link open', unit: 'ms', of: 'systemctl show, spawned', atMost: 0.45 },
  { key: 'restart', what: 'restart of a unit', unit: 'ms', of: 'systemctl restart, spawned', atMost: 0.45 },
  { key: 'check', what: 'command true as check', unit: 'ms', of: RUN, atMost: 0.5 },
  { key: 'action', what: 'command true as action', unit: 'ms', of: RUN, atMost: 0.5 },
  // Measured 0.55 to 0.59: most of it is PID 1's own work, and a bash that reads the program's surroundings from a pipe.
  { key: 'launch', what: "a launched program's first act", unit: 'ms', of: 'systemd-run, spawned', atMost: 0.7 },
  // Measured 0.9 to 1.2; what the spawned one costs is only the bare call, without anything that belongs to an alarm.
  { key: 'commandCpu', what: 'CPU an alarm, healed by a command', unit: 'ms', of: RUN, atMost: 1.3 },
  // Measured 2.1 to 2.3: the unit is looked at before, and watched until it has run for a second.
  { key: 'restartCpu', what: 'CPU an alarm, healed by the restart of a unit', unit: 'ms', of: RUN, atMost: 2.5 },
] as const;
