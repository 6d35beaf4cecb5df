import { changedProcesses, describeChanges } from '../config/describe-changes.ts';
import type { Orders } from '../control/orders.ts';
import { ConfigError, errorMessage, formatProblem } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { LoggingOptions } from '../logging/parse-logging.ts';
import type { Notifier } from '../system/systemd/notify.ts';
import type { Core } from './app.ts';
import { readFlawlessSettings, type Settings } from './settings.ts';

/** A log whose sinks a reload may change. */
export interface ReloadableLogger extends Logger {
  reconfigure(options: LoggingOptions, host: string): void;
}

/**
 * Reads the configuration again, one reload after the other, as ordered by `by`; what cannot be used is told and the running one stays.
 * The order it returns never rejects.
 */
export function createReload(
  core: Core,
  log: ReloadableLogger,
  notifier: Notifier,
): (by: string) => ReturnType<Orders['reload']> {
  let last: Promise<unknown> = Promise.resolve();
  return (by) => {
    const reload = last.then(() => reloadOnce(core, log, notifier, by));
    last = reload;
    return reload;
  };
}

async function reloadOnce(core: Core, log: ReloadableLogger, notifier: Notifier, by: string): ReturnType<Orders['reload']> {
  const before = core.settings();
  notifier.reloading();
  try {
    const next = readFlawlessSettings(before.file);
    const edited = describeChanges(before.document, next.document);
    const changes = [...edited, ...changedFiles(before, next, edited), ...keptUntilRestart(before, next)];
    await core.adopt(next);
    const closed = lookAgain(core, changedProcesses(before.document, next.document), by);
    changes.push(...closed.map((name) => `circuit breaker closed: ${name}`));
    log.reconfigure(next.logging, next.host.name);
    log.info(`Configuration reloaded: ${changes.length === 0 ? 'nothing changed' : changes.join('; ')}; by ${by}`);
    const warnings = next.problems.map((warning) => formatProblem(next.file, warning));
    for (const warning of warnings) log.warning(warning);
    core.events.emit({ type: 'config_reloaded', changes, by });
    return { kind: 'done', changes, warnings };
  } catch (error) {
    const refused = error instanceof ConfigError;
    const problems = refused
      ? error.problems.filter(({ severity }) => severity === 'error').map((problem) => formatProblem(error.file, problem))
      : [errorMessage(error)];
    for (const problem of problems) log.error(`Configuration not reloaded: ${problem}`);
    return { kind: 'refused', code: refused ? 'invalid' : 'unavailable', reason: problems.join('\n') };
  } finally {
    notifier.ready();
  }
}

/**
 * What has changed about a process may be what kept it from getting well: its failures are forgotten, and its alarm is tried at once.
 * The others' failures stand, and no reload adds to them. The names whose breaker was not at rest.
 */
function lookAgain({ breakers, queue, monitor }: Core, changed: readonly string[], by: string): string[] {
  const names = new Set(changed);
  const targets = [...breakers.list()].flatMap(([target, { processName }]) => (names.has(processName) ? [target] : []));
  const closed = targets.flatMap((target) => breakers.reset(target, `${by}, whose reload changed its section`));
  for (const name of names) queue.retry(name);
  if (names.size > 0) monitor.wake();
  return closed;
}

/** The database is opened anew also where the configuration says what it said: `password_file` holds another password by now. */
function changedFiles(before: Settings, next: Settings, edited: readonly string[]): string[] {
  if (before.database.fingerprint === next.database.fingerprint) return [];
  return edited.some((line) => line.startsWith('[database]')) ? [] : ['[database]: a file that it names has changed'];
}

/** What a running daemon cannot change under itself. */
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
