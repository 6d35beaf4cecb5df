// Starts the worker as a transient unit, through PID 1.
import { constants } from 'node:os';
import { openSocketPair } from '../../system/native/socket-pair.ts';
import type { Pid1Link } from '../../system/systemd/link.ts';
import type { Pid1 } from '../../system/systemd/pid1.ts';
import { startTransient, type TransientStart } from '../../system/systemd/transient-unit.ts';
import { workerUnit } from '../../system/systemd/unit/name.ts';
import type { StartWorker } from './process.ts';
import type { WorkerProgram } from './program.ts';
import { argvInside, sandbox } from './sandbox.ts';

/** Starts workers in the sandbox of sandbox.ts, each in a unit with a name of its own. `owner`: our own unit, with which they end. */
export function unitStarter(pid1: Pid1, program: WorkerProgram, owner: string | undefined): StartWorker {
  return async () => {
    const unit = workerUnit(process.pid, ++lives);
    const pair = openSocketPair();
    if (pair === undefined) return { kind: 'not_started', reason: 'no pair of sockets is available' };
    const { ours, theirs } = pair;
    const closed = new Promise<string>((resolve) => {
      ours.once('close', () => resolve(`${unit} has ended (journalctl -t ${IDENTIFIER})`));
    });
    const reached = await pid1.withLink({ ...ANSWER, alive: true }, (link) => start(link, unit, program, owner, theirs));
    pair.closeTheirs();
    const started: TransientStart = reached.kind === 'reached' ? reached.value : { kind: 'unknown', reason: reached.reason };
    if (started.kind === 'started') {
      const kill = (): void => {
        ours.destroy();
        void end(pid1, unit);
      };
      return { kind: 'started', worker: { socket: ours, ended: closed, kill } };
    }
    ours.destroy();
    return { kind: 'not_started', reason: started.kind === 'taken' ? `${unit} already exists` : started.reason };
  };
}

/** How many units this process has started: each has a name of its own. */
let lives = 0;

async function start(
  link: Pid1Link,
  unit: string,
  program: WorkerProgram,
  owner: string | undefined,
  socket: number,
): Promise<TransientStart> {
  for (let others = sandbox(program, owner); ; ) {
    const started = await startTransient(
      link,
      {
        unit,
        description: 'monitor_service: checks of the network',
        argv: argvInside(program),
        properties: { collectMode: 'inactive-or-failed', timeoutStopMs: 2000, syslogIdentifier: IDENTIFIER, others },
        descriptors: { input: socket, output: socket },
      },
      ANSWER,
    );
    const unknown =
      started.kind === 'refused' ? /^Cannot set property (\w+), or unknown property/.exec(started.reason)?.[1] : undefined;
    const known = others.filter(({ name, isNewer }) => !(isNewer && name === unknown));
    if (known.length === others.length) return started;
    others = known;
  }
}

/** At once, even if it is stopped. A worker that PID 1 does not end ends by itself: its connection is closed. */
async function end(pid1: Pid1, unit: string): Promise<void> {
  await pid1.withLink(ANSWER, async (link) => {
    const { SIGKILL } = constants.signals;
    await link.call({ member: 'KillUnit', signature: 'ssi', values: [unit, 'all', SIGKILL] }, ANSWER);
    await link.call({ member: 'StopUnit', signature: 'ss', values: [unit, 'replace'] }, ANSWER);
  });
}

const ANSWER = { timeoutMs: 15_000 };
const IDENTIFIER = 'monitor_worker';
