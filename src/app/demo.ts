// The demo: the daemon at work on a store of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorMessage } from '../core/errors.ts';
import { createSchema } from '../stores/sqlite/store.ts';
import { ProcessTable } from '../system/proc/table.ts';
import { type DaemonSignals, type RunningDaemon, runDaemon } from './daemon.ts';

/** What a demo is started with. */
interface DemoOptions {
  readonly version: string;
  readonly signals: DaemonSignals;
  /** Takes the lines that explain the demo. */
  readonly say: (line: string) => void;
}

const PROGRAMS = ['demo-web', 'demo-worker'];
const VICTIM = 'demo-web';
const BROKEN = 'demo-broken';

/**
 * Shows the daemon at work on the embedded store, in its own folder: starts two harmless programs, kills one, raises its alarm,
 * and runs as the daemon until it is stopped. A third never becomes healthy, so that its breaker opens and half-opens. Needs no
 * root, no MySQL and no network; leaves no process and no file behind.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'monitor_service-demo-'));
  let cleanUp = async (): Promise<void> => {};
  try {
    for (const name of PROGRAMS) writeFileSync(join(dir, name), PROGRAM, { mode: 0o700 });
    writeFileSync(join(dir, 'config.ini'), configuration(dir), { mode: 0o600 });
    options.say(`Demo in ${dir}; stop it with Ctrl-C. Everything below is the daemon's own log.`);
    await runDaemon({
      configFile: join(dir, 'config.ini'),
      verbose: false,
      version: options.version,
      signals: options.signals,
      onStarted: (daemon) => {
        const played = play(daemon, dir, options.say).catch((error: unknown) => {
          if (!daemon.stopping.signal.aborted) options.say(`Demo: ${errorMessage(error)}`);
        });
        cleanUp = async () => {
          await played;
          await endPrograms(daemon, dir);
        };
      },
    });
  } finally {
    // After the daemon's end: until then a recovery, or the demo itself, may start another program.
    await cleanUp();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A process without children that waits forever and uses no CPU: it reads from a pipe that nobody writes to. */
const PROGRAM = '#!/bin/sh\nmkfifo "$0.pipe" 2>/dev/null\nexec 3<>"$0.pipe"\nwhile :; do read -r line <&3; done\n';

function configuration(dir: string): string {
  const program = (name: string): string =>
    `[process.${name}]\nrestart_strategy = process\nsystem_name = ${join(dir, name)}\nstart_command = exec ${join(dir, name)}\n`;
  return [
    `[database]\ndriver = sqlite\npath = ${join(dir, 'alarms.db')}\n`,
    `[monitor]\ncheck_interval = 2\nmax_restart_failures = 2\ncircuit_reset_time = 20\nstate_dir = ${join(dir, 'state')}\n`,
    `[logging]\nfile = ${join(dir, 'monitor_service.log')}\nsyslog = off\n`,
    `[control]\nsocket = ${join(dir, 'control.sock')}\n`,
    ...PROGRAMS.map(program),
    `[process.${BROKEN}]\nrestart_strategy = custom\nrestart_command = true\nhealth_check_command = false\nhealth_check_timeout = 1\nrestart_delay = 1\n`,
  ].join('\n');
}

/** Starts the programs, kills one and raises the alarms, with a line about each step. */
async function play(daemon: RunningDaemon, dir: string, say: (line: string) => void): Promise<void> {
  say(`Demo: starting ${PROGRAMS.join(' and ')}`);
  for (const name of PROGRAMS) {
    if (daemon.stopping.signal.aborted) return;
    await startProgram(daemon, join(dir, name));
  }
  if (daemon.stopping.signal.aborted) return;
  registerProcesses(join(dir, 'alarms.db'), [...PROGRAMS, BROKEN]);
  const pids = pidsOf(join(dir, VICTIM));
  for (const pid of pids) kill(pid);
  say(
    `Demo: killed ${VICTIM} (pid ${pids.join(', ')}) and raised its alarm; ${BROKEN}, which never becomes healthy, is in alarm too`,
  );
  await raise(daemon, VICTIM, 'killed by the demo');
  await raise(daemon, BROKEN, 'never becomes healthy');
  daemon.monitor.wake();
}

async function startProgram({ abort, execution }: RunningDaemon, path: string): Promise<void> {
  const what = { kind: 'line', line: `exec ${path}`, environment: {}, user: undefined } as const;
  const result = await execution.programs.launch(
    { systemName: path, runId: 'demo', timeoutMs: START_LIMIT_MS, what },
    STARTED_AFTER_MS,
    abort.signal,
  );
  if (result.kind === 'failed') throw new Error(`${path} does not start: ${result.reason}`);
}

const START_LIMIT_MS = 10_000;
const STARTED_AFTER_MS = 200;

function registerProcesses(databaseFile: string, names: readonly string[]): void {
  const database = new DatabaseSync(databaseFile, { timeout: 1000 });
  try {
    createSchema(database);
    names.forEach((name, i) => {
      database.prepare('INSERT INTO PROCESE (process_id, process_name) VALUES (?, ?)').run(i + 1, name);
      database.prepare('INSERT INTO STATUS_PROCESS (process_id, alarma, sound, notes) VALUES (?, 0, 0, NULL)').run(i + 1);
    });
  } finally {
    database.close();
  }
}

async function raise({ store }: RunningDaemon, name: string, notes: string): Promise<void> {
  for (const { processId } of await store().findProcesses(name)) await store().raiseAlarm(processId, notes);
}

/** Ends all programs of the demo that still run, no matter when it was stopped. */
async function endPrograms({ execution }: RunningDaemon, dir: string): Promise<void> {
  for (const name of PROGRAMS) {
    await execution.programs.retire(join(dir, name), RETIRE_MS, new AbortController().signal);
    for (const pid of pidsOf(join(dir, name))) kill(pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}

const RETIRE_MS = 5000;

/** The pids of processes that run this script; nobody else uses its path. */
function pidsOf(path: string): number[] {
  const processes = new ProcessTable().list(['argv']);
  return processes.filter(({ argv }) => argv?.includes(path)).map(({ pid }) => pid);
}
