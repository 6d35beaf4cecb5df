import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../core/errors.ts';
import { ProcessTable } from '../system/process-table.ts';
import type { Core } from './app.ts';
import { type DaemonSignals, runDaemon } from './daemon.ts';

/** What a demo is started with. */
export interface DemoOptions {
  readonly version: string;
  readonly signals: DaemonSignals;
  /** Where the narrator's lines go. */
  readonly say: (line: string) => void;
}

const PROGRAMS = ['demo-web', 'demo-worker'];
const BROKEN = 'demo-broken';

/**
 * The main job on the embedded store, in a folder of its own: starts two harmless programs, kills one, raises its alarm, and
 * goes on as the daemon until it is told to stop. A third never gets well, so that its breaker is seen to open and half-open.
 * Needs no root, no MySQL, no network; leaves no process and no file behind.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'monitor_service-demo-'));
  try {
    for (const name of PROGRAMS) writeFileSync(join(dir, name), PROGRAM, { mode: 0o700 });
    writeFileSync(join(dir, 'config.ini'), configuration(dir), { mode: 0o600 });
    options.say(`Demo in ${dir}; stop it with Ctrl-C. Everything below is the daemon's own log.`);
    await runDaemon({
      configFile: join(dir, 'config.ini'),
      verbose: false,
      version: options.version,
      signals: options.signals,
      onStarted: (core) => {
        core.stops.push('demo programs', () => endPrograms(core, dir));
        void play(core, dir, options.say).catch((error: unknown) => options.say(`Demo: ${errorMessage(error)}`));
      },
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A process without children that waits for ever and costs nothing: it reads from a pipe that nobody writes to. */
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

async function play(core: Core, dir: string, say: (line: string) => void): Promise<void> {
  const store = core.store();
  say(`Demo: starting ${PROGRAMS.join(' and ')}`);
  for (const name of PROGRAMS) {
    const environment = {};
    await core.execution.programs.launch(
      { systemName: join(dir, name), runId: `demo-${name}`, what: { kind: 'line', line: `exec ${join(dir, name)}`, environment, user: undefined } },
      200,
      core.abort.signal,
    );
  }
  await registerDemoProcesses(core, dir);
  const [victim] = PROGRAMS;
  const [process_] = (await store.findProcesses(victim ?? '')) ?? [];
  if (core.stopping.signal.aborted || victim === undefined || process_ === undefined) return;
  const pids = programPids(dir).filter(({ name }) => name === victim);
  for (const { pid } of pids) process.kill(pid, 'SIGKILL');
  say(`Demo: killed ${victim} (pid ${pids.map(({ pid }) => pid).join(', ')}) and raised its alarm; ${BROKEN}, which never gets well, is in alarm too`);
  await store.raiseAlarm(process_.processId, 'killed by the demo');
  for (const broken of await store.findProcesses(BROKEN)) await store.raiseAlarm(broken.processId, 'never gets well');
  core.monitor.wake();
}
