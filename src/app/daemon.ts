import type { Orders } from '../control/orders.ts';
import { createControlServer } from '../control/server.ts';
import type { DaemonStatus, ProcessStatus } from '../control/status.ts';
import { systemClock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { createLogger } from '../logging/logger.ts';
import { LaunchObserver } from '../strategies/launch-observer.ts';
import { TimeZone } from '../system/files/time-zone.ts';
import { openDatagram } from '../system/native/datagram.ts';
import { forbidDumps } from '../system/native/dumps.ts';
import { keepInheritedDescriptors } from '../system/native/inherited-descriptors.ts';
import { returnUnusedMemory } from '../system/native/unused-memory.ts';
import { nameThisProcess } from '../system/proc/own-name.ts';
import { createNotifier, type Notifier } from '../system/systemd/notify.ts';
import { type Core, createCore } from './app.ts';
import { bindOrders } from './bind-orders.ts';
import { checkStatuses } from './check-now.ts';
import type { EventStream } from './event-stream.ts';
import { goneNames } from './gone-names.ts';
import { configuredWords, logProblems } from './problem-report.ts';
import { createReload, type ReloadableLogger } from './reload.ts';
import { readSettings } from './settings.ts';
import { startDetectors } from './start-detectors.ts';
import { createDaemonSource, startEventStream } from './start-event-stream.ts';
import { buildStatus, lookAtTargets, statusOfOne } from './status.ts';
import { followStatus } from './status-line.ts';

/** The signals that a daemon handles, as main.ts passes them. */
export interface DaemonSignals {
  /** The first SIGTERM or SIGINT: stop in order. */
  onStop(handler: () => void): void;
  /** The second one: abort everything that runs. */
  onAbort(handler: () => void): void;
  /** SIGHUP: read the configuration again. */
  onReload(handler: () => void): void;
}

/** What the demo plays with while the daemon runs. */
export type RunningDaemon = Pick<Core, 'abort' | 'execution' | 'monitor' | 'stopping' | 'store'>;

/** What a daemon is started with. */
interface DaemonOptions {
  readonly configFile: string;
  /** true: log everything to the terminal, at debug. */
  readonly verbose: boolean;
  readonly version: string;
  readonly signals: DaemonSignals;
  /** Called once the loop runs. */
  readonly onStarted?: (running: RunningDaemon) => void;
}

/** Running recoveries may end within this time after SIGTERM; well under the unit's TimeoutStopSec. */
const GRACE_MS = 20_000;
/** Aborted work ends within this time: commands are killed, and a store call has its deadline. */
const ABORTED_MS = 15_000;
/** The deadline of all stop steps together, in milliseconds. */
const STOP_DEADLINE_MS = 45_000;

/**
 * Runs the daemon from start to end; resolves when it has ended in order. Throws ConfigError if the configuration cannot be
 * used, StateHeldError if another daemon holds the state_dir, SocketFileError if its socket is taken.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  // Only the daemon has this name: `pgrep -x monitor_service` would find a command with the same name too, `status --watch` for
  // one.
  const unnamed = nameThisProcess('monitor_service');
  // Before the first password is read.
  const dumpable = forbidDumps();
  keepInheritedDescriptors();
  const settings = readSettings(options.configFile);
  const logger = createLogger(settings.logging, { verbose: options.verbose, openDatagram, host: settings.host.name });
  if (dumpable !== undefined) logger.warning(`A core dump of monitor_service would hold passwords: ${dumpable}`);
  if (unnamed !== undefined) logger.warning(`The process could not be called monitor_service: ${unnamed}`);
  const notifier = createNotifier(process.env, openDatagram);
  // Programs that we start must not notify systemd in our name.
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete process.env[name];
  const zone = new TimeZone(systemClock);
  let core: Core;
  try {
    core = await createCore({
      settings,
      log: logger,
      onHeartbeat: () => {
        notifier.watchdog();
        zone.refresh();
      },
      ...(notifier.watchdogIntervalMs === undefined ? {} : { heartbeatMs: notifier.watchdogIntervalMs }),
    });
  } catch (error) {
    await logger.close();
    throw error;
  }
  let hasStarted = false;
  try {
    await live(core, logger, notifier, {
      ...options,
      onStarted: (started) => {
        hasStarted = true;
        options.onStarted?.(started);
      },
    });
  } finally {
    await core.stops.stop(STOP_DEADLINE_MS).catch((error: unknown) => logger.error(errorMessage(error)));
    // If it did not start, its error is reported instead.
    if (hasStarted) logger.info('monitor_service stopped');
    await logger.close();
  }
}

async function live(core: Core, log: ReloadableLogger, notifier: Notifier, options: DaemonOptions): Promise<void> {
  const startedAt = systemClock.date();
  const { exits, checks, lastRecoveries: last } = core;
  const launches = new LaunchObserver(core);
  const reload = createReload(core, log, notifier, () => {
    followConfig(core);
    exits.reconfigure();
    checks.reconfigure();
    launches.lookAgain();
  });
  const source = await createDaemonSource(core);
  let events: EventStream | undefined;
  const status = async (): Promise<DaemonStatus> => {
    await lookAtTargets(core);
    const who = { version: options.version, pid: process.pid, startedAt };
    const known = {
      checks: checkStatuses(core, startedAt),
      events: events?.status() ?? null,
      exitWatch: exits.describe() ?? null,
      runs: exits.runs,
    };
    return buildStatus(core, last, who, { ...known, gone: await goneNames(core, last) });
  };
  const statusOf = async (name: string): Promise<ProcessStatus> =>
    statusOfOne(core, last, name, { runs: exits.runs, gone: await goneNames(core, last) });
  const orders = (by: string): Orders => bindOrders(core, { by, daemonRuns: true, status, statusOf, reload: () => reload(by) });
  const control = createControlServer({ ...core.settings().control, orders, log, clock: core.clock });
  await control.start();
  core.stops.push('control socket', () => control.stop());
  core.stops.push('recoveries', () => endRecoveries(core));

  logStart(core, log, options);
  core.events.emit({ type: 'daemon_started', version: options.version, crashed: core.state.crashed });
  const loop = core.monitor.run(core.stopping.signal);
  core.stops.push('exit watch', () => exits.stop());
  core.stops.push('checks', () => checks.stop());
  followConfig(core);
  startDetectors(core, source);
  void launches.run(core.stopping.signal);
  // A poll may be waiting for a store that hangs: closing the store ends it.
  core.stops.push('poll loop', () => Promise.race([loop, core.clock.sleep(POLL_END_MS)]));
  core.stops.push('no new work', () => core.stopping.abort());
  events = await startEventStream(core, source);
  notifier.ready();
  followStatus(core, notifier);
  options.onStarted?.(core);
  void core.clock.sleep(STARTED_MS, core.stopping.signal).then(returnUnusedMemory);

  await new Promise<void>((resolve) => {
    options.signals.onReload(() => void reload('SIGHUP'));
    options.signals.onAbort(() => core.abort.abort());
    options.signals.onStop(() => {
      log.info('monitor_service stopping: no new recoveries, running ones may end', { recovering: core.handler.recovering });
      notifier.stopping();
      resolve();
    });
  });
}

const POLL_END_MS = 2000;
/** What a start needs memory for is over after this time, in milliseconds: the store was asked, programs were looked at. */
const STARTED_MS = 3000;

/** Forgets the kept alarms of names that are no longer configured. */
function followConfig({ config, kept }: Pick<Core, 'config' | 'kept'>): void {
  kept.keepOnly(config.current().processNames);
}

/**
 * Gives running recoveries their grace, then kills their commands; what still hangs stays in the journal as an interrupted run.
 */
async function endRecoveries({ abort, clock, handler }: Pick<Core, 'abort' | 'clock' | 'handler'>): Promise<void> {
  const over = new AbortController();
  const idle = handler.idle().then(() => over.abort());
  await clock.sleep(GRACE_MS, AbortSignal.any([over.signal, abort.signal]));
  abort.abort();
  await Promise.race([idle, clock.sleep(ABORTED_MS, over.signal)]);
}

function logStart(core: Pick<Core, 'execution' | 'settings' | 'store'>, log: Logger, { version }: DaemonOptions): void {
  const settings = core.settings();
  log.info(
    `monitor_service ${version} started (pid ${process.pid}): ${core.store().description}, ${configuredWords(settings)}, ${core.execution.description}, mode ${settings.monitor.mode}`,
  );
  logProblems(settings, log);
}
