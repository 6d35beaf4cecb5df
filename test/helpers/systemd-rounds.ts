import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { alarmsUnderSystemd } from '../bench/alarms-under-systemd.ts';
import type { SystemdFigures, Turns } from '../bench/systemd-figures.ts';

// A program of its own, for a container whose PID 1 is systemd: `systemd-rounds.ts '{"project":"/srv/…","rounds":30,"bursts":3}'` has the
// checkout in that folder do what the daemon does through PID 1, in turns with the programs that one would spawn for it, and prints
// what each took as JSON (SystemdFigures). An older checkout does as well: its src/system/execution.ts and dist/ are what is used.

const { project, rounds, bursts } = JSON.parse(process.argv[2] ?? '') as {
  readonly project: string;
  readonly rounds: number;
  readonly bursts: number;
};
const { createExecution } = (await import(
  join(project, 'src/system/execution.ts')
)) as typeof import('../../src/system/execution.ts');

/** Does something once; how many milliseconds that took. */
type Work = () => Promise<number>;

const never = new AbortController().signal;
const UNIT = 'rounds@0.service';
const LIMIT_MS = 120_000;
/** Until PID 1 has cleaned up after the last one. */
const SETTLE_MS = 20;
/** Rounds that do not count: our code is compiled meanwhile. */
const WARM_UPS = 3;
/** As many as the state of a unit consists of. */
const PROPERTIES = [
  ...['Id', 'LoadState', 'ActiveState', 'SubState', 'Result', 'MainPID', 'Type', 'ControlGroup', 'Job'],
  ...['ActiveExitTimestampMonotonic', 'ExecMainStartTimestampMonotonic', 'ExecMainExitTimestampMonotonic'],
].join();

const dir = mkdtempSync('/var/lib/systemd-rounds-');
const execute = () =>
  createExecution({ stateDir: dir, log: { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} } });
const { services, commands, programs } = execute();
try {
  writeFileSync(
    '/run/systemd/system/rounds@.service',
    '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sleep infinity\n',
  );
  execFileSync('systemctl', ['daemon-reload']);
  execFileSync('systemctl', ['start', UNIT]);
  const births = openBirths();
  const spawnedShow = run('systemctl', 'show', `--property=${PROPERTIES}`, UNIT);
  const spawnedCommand = run('systemd-run', '--quiet', '--wait', '--pipe', '--collect', '--', '/bin/sh', '-c', 'true');
  const show = await inTurns(
    timed(async () => expect('status', await services.show(UNIT, never))),
    timed(spawnedShow),
  );
  const restart = await inTurns(
    timed(async () => expect('done', await services.call('restart', UNIT, LIMIT_MS, never))),
    timed(run('systemctl', 'restart', UNIT)),
  );
  const check = await inTurns(timed(command('check')), timed(spawnedCommand));
  const action = await inTurns(timed(command('action')), timed(spawnedCommand));
  const launch = await inTurns(launchFrom(births), births.untilBorn(run('systemd-run', '--quiet', '--', births.program)));
  births.close();
  const alarms = await alarmsUnderSystemd({ project, dir, bursts, unit: (n) => `rounds@${n}` });
  // The last: a link stays open for some seconds, and PID 1 tells each of everything.
  const firstShow = await inTurns(
    timed(async () => expect('status', await execute().services.show(UNIT, never))),
    timed(spawnedShow),
  );
  console.log(JSON.stringify({ show, firstShow, restart, check, action, launch, ...alarms } satisfies SystemdFigures));
} finally {
  execFileSync('systemctl', ['stop', 'rounds@*.service']);
  rmSync(dir, { recursive: true, force: true });
}
// An older checkout may leave something open.
process.exit();

function command(kind: 'check' | 'action'): () => Promise<void> {
  const how = { line: 'true', kind, description: 'a round', environment: {}, timeoutMs: LIMIT_MS };
  return async () => expect('exited', await commands.run({ ...how, runId: randomUUID() }, never));
}

function launchFrom({ program, untilBorn }: Births): Work {
  const place = { executable: realpathSync('/bin/sh'), cwd: '/', environment: [`PATH=${process.env.PATH}`] };
  const record = { argv: ['/bin/sh', program], ...place, uid: 0, gid: 0, groups: [0] };
  const what = { systemName: 'rounds', runId: 'rounds', timeoutMs: LIMIT_MS, what: { kind: 'argv', record } } as const;
  const launched = untilBorn(async () => expect('launched', await programs.launch(what, LIMIT_MS, never)));
  return async () => {
    const tookMs = await launched();
    await programs.retire(what.systemName, LIMIT_MS, never);
    return tookMs;
  };
}

/** A program whose first act it is to write into a named pipe, and its last too. */
interface Births {
  readonly program: string;
  /** From the beginning of `start` to that act. */
  untilBorn(start: () => Promise<void>): Work;
  close(): void;
}

function openBirths(): Births {
  const [births, program] = [join(dir, 'births'), join(dir, 'program')];
  execFileSync('mkfifo', [births]);
  writeFileSync(program, `#!/bin/sh\necho > ${births}\n`, { mode: 0o755 });
  const reader = createReadStream(births, { flags: 'r+' });
  return {
    program,
    untilBorn: (start) => async () => {
      const born = once(reader, 'data');
      const startMs = performance.now();
      const [tookMs] = await Promise.all([born.then(() => performance.now() - startMs), start()]);
      return tookMs;
    },
    close: () => {
      reader.destroy();
      // A read that waits in another thread would hold up our end.
      writeFileSync(births, '\n');
    },
  };
}

/** One kind of work, ours and what would be spawned, so often in turns; which of the two is first as well. */
async function inTurns(ours: Work, floor: Work): Promise<Turns> {
  const turns: Turns = { ours: [], floor: [] };
  const pair = [
    [ours, turns.ours],
    [floor, turns.floor],
  ] as const;
  for (let round = 1 - WARM_UPS; round <= rounds; round++)
    for (const [work, times] of round % 2 === 0 ? pair : pair.toReversed()) {
      await delay(SETTLE_MS);
      const tookMs = await work();
      if (round > 0) times.push(tookMs);
    }
  return turns;
}

function timed(work: () => Promise<void>): Work {
  return async () => {
    const startMs = performance.now();
    await work();
    return performance.now() - startMs;
  };
}

/** Runs a program to its end, and takes what it says. */
function run(file: string, ...args: readonly string[]): () => Promise<void> {
  return async () => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.resume();
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${file} ${args.join(' ')}: exit code ${code}`);
  };
}

function expect(kind: string, result: { readonly kind: string; readonly exitCode?: number }): void {
  if (result.kind !== kind || (result.exitCode ?? 0) !== 0) throw new Error(JSON.stringify(result));
}
