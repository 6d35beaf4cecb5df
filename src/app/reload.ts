import { changedProcesses, describeChanges } from '../config/describe-changes.ts';
import type { Orders } from '../control/orders.ts';
import { ConfigError, errorMessage, formatProblem, problemLines } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { formatDuration } from '../core/text/duration.ts';
import { typedCommand } from '../core/text/typed-command.ts';
import type { LoggingOptions } from '../logging/parse-logging.ts';
import type { Notifier } from '../system/systemd/notify.ts';
import type { Core } from './app.ts';
import { readFlawlessSettings, type Settings } from './settings.ts';

/** A logger whose sinks a reload may change. */
export interface ReloadableLogger extends Logger {
  reconfigure(options: LoggingOptions, host: string): void;
}

/**
 * Creates the order that reads the configuration again, one reload after the other. If the new one cannot be used, its problems
 * are logged and the running one stays. `follow` is called once the new one is in force, so that other parts apply it. The
 * order never rejects.
 */
export function createReload(
  core: Pick<Core, 'adopt' | 'book' | 'breakers' | 'clock' | 'events' | 'monitor' | 'settings'>,
  log: ReloadableLogger,
  notifier: Notifier,
  follow: () => void,
): (by: string) => ReturnType<Orders['reload']> {
  let last: Promise<unknown> = Promise.resolve();
  return (by) => {
    const reload = last.then(() => reloadOnce(core, log, notifier, follow, by));
    last = reload;
    return reload;
  };
}

async function reloadOnce(
  core: Pick<Core, 'adopt' | 'book' | 'breakers' | 'clock' | 'events' | 'monitor' | 'settings'>,
  log: ReloadableLogger,
  notifier: Notifier,
  follow: () => void,
  by: string,
): ReturnType<Orders['reload']> {
  const before = core.settings();
  notifier.reloading();
  try {
    const next = readFlawlessSettings(before.file);
    const edited = describeChanges(before.document, next.document);
    const changes = [...edited, ...changedFiles(before, next, edited), ...keptUntilRestart(before, next)];
    await core.adopt(next);
    changes.push(...tryAgain(core, changedProcesses(before.document, next.document), next.processNames));
    log.reconfigure(next.logging, next.host.name);
    log.info(`Configuration reloaded: ${changes.length === 0 ? 'nothing changed' : changes.join('; ')}; by ${by}`);
    const warnings = next.problems.map((warning) => formatProblem(next.file, warning));
    for (const warning of warnings) log.warning(warning);
    follow();
    core.events.emit({ type: 'config_reloaded', changes, by });
    return { kind: 'done', changes, warnings };
  } catch (error) {
    const refused = error instanceof ConfigError;
    const errors = refused
      ? error.problems.filter(({ severity }) => severity === 'error').map((problem) => formatProblem(error.file, problem))
      : [errorMessage(error)];
    for (const problem of errors) log.error(`Configuration not reloaded: ${problem}`);
    if (!refused) return { kind: 'refused', code: 'unavailable', reason: errors.join('\n') };
    return { kind: 'refused', code: 'invalid', reason: problemLines(error.file, error.problems).join('\n') };
  } finally {
    notifier.ready();
  }
}

/**
 * Tries the alarms of changed processes at once, if their breaker permits it: the change may be what makes them healthy.
 * Unchanged ones are tried when they would have been anyway, so that no reload adds to their failures. Returns lines about
 * breakers that stay open.
 */
function tryAgain(
  { book, breakers, monitor, clock }: Pick<Core, 'book' | 'breakers' | 'clock' | 'monitor'>,
  changed: readonly string[],
  configured: readonly string[],
): string[] {
  // Removing a section does not make a process healthy.
  const mended = changed.filter((name) => configured.includes(name));
  for (const name of mended) book.retry(name);
  if (mended.length > 0) monitor.wake();
  const names = new Set(changed);
  return [...breakers.list().values()].flatMap(({ processName, snapshot: { state, reopenAtMs } }) => {
    const leftMs = reopenAtMs - clock.monotonicMs();
    if (!names.has(processName) || state !== 'open' || leftMs <= 0) return [];
    return [
      `circuit breaker of ${processName}: stays open for ${formatDuration(leftMs)} (\`${typedCommand('breaker', processName, '--reset')}\` closes it)`,
    ];
  });
}

/** A line if the database is opened again although its section is unchanged: `password_file` may contain a new password. */
function changedFiles(before: Settings, next: Settings, edited: readonly string[]): string[] {
  if (before.database.fingerprint === next.database.fingerprint) return [];
  return edited.some((line) => line.startsWith('[database]')) ? [] : ['[database]: a file that it names has changed'];
}

/** Lines about settings that a running daemon cannot change. */
function keptUntilRestart(before: Settings, next: Settings): string[] {
  const kept: string[] = [];
  if (before.monitor.stateDir !== next.monitor.stateDir) kept.push('state_dir takes effect at the next start');
  if (JSON.stringify(before.control) !== JSON.stringify(next.control)) kept.push('[control] takes effect at the next start');
  if (!sameEvents(before, next)) kept.push('[events] takes effect at the next start');
  return kept;
}

function sameEvents({ events: before }: Settings, { events: next }: Settings): boolean {
  const text = (events: Settings['events']): string =>
    JSON.stringify(events === undefined ? null : { ...events, types: [...events.types] });
  return text(before) === text(next);
}
