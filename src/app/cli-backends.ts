import type { ConfigDocument } from '../config/config-document.ts';
import { orderTable } from '../control/orders/index.ts';
import { createOrderClient, giveOrder, type OrdersWithoutDaemon } from '../control/orders.ts';
import { ConfigError, type ConfigProblem, countProblems } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { ProcessEventType } from '../core/process/event.ts';
import { createLogger } from '../logging/logger.ts';
import { openDatagram } from '../system/native/datagram.ts';
import type { ProcessEventSource } from '../system/process-events/source.ts';
import type { CheckReport, CliBackends, OfflineOrders } from './backends.ts';
import { askDatabase, unknownRow } from './database-report.ts';
import { offlineAlarm, offlineDetails, offlineLook, offlineOrders, offlineStatus } from './offline.ts';
import { judgeSettings, readSettings, type Settings } from './settings.ts';
import { UnitReport } from './unit-report.ts';

/** Everything that the command line can do if no daemon answers. */
export const cliBackends: CliBackends = {
  // Loaded only when needed: a status or a check of the configuration needs none of it.
  runDaemon: async (options) => (await import('./daemon.ts')).runDaemon(options),
  runDemo: async (options) => (await import('./demo.ts')).runDemo(options),
  followEvents: async (options) => {
    const { followSource } = await import('./event-commands.ts');
    return followSource(await createSource(options.types), options);
  },
  serveEvents: async (options) => {
    const { serveSource } = await import('./event-commands.ts');
    return serveSource(await createSource(options.types), options);
  },
  checkConfig,
  offline,
};

function offline(...[configFile, version, listenForSignals]: Parameters<CliBackends['offline']>): OfflineOrders {
  const look = { configFile, version, log: silent };
  const inPlace = <T>(use: Parameters<typeof offlineOrders<T>>[1]): Promise<T> =>
    withLog(configFile, (log) => offlineOrders({ configFile, version, log }, use));
  const own: OrdersWithoutDaemon<'own'> = {
    status: () => offlineStatus(look),
    describe: (name) => offlineDetails(look, name),
    alarm: (...order) => withLog(configFile, (log) => offlineAlarm({ configFile, version, log }, order)),
    recover: (name) =>
      inPlace((orders, { abort, stopping }) => {
        listenForSignals().onStop(() => {
          stopping.abort();
          abort.abort();
        });
        return orders.recover(name);
      }),
  };
  const others = createOrderClient(async (name, args) => {
    const { withoutDaemon } = orderTable[name];
    switch (withoutDaemon) {
      case 'look':
        return offlineLook(look, async (orders) => giveOrder(orders, name, args));
      case 'place':
        return inPlace(async (orders) => giveOrder(orders, name, args));
      case 'own':
      case 'never':
        throw new Error(`${name} is not carried out without a daemon`);
      default:
        return withoutDaemon satisfies never;
    }
  });
  return { ...others, ...own };
}

async function createSource(types: ReadonlySet<ProcessEventType>): Promise<ProcessEventSource> {
  return (await import('./event-stream.ts')).createStreamSource(types);
}

const silent: Logger = { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} };

/** An order that changes something is logged in the daemon's own log, and on the terminal of the user who gave it. */
async function withLog<T>(configFile: string, use: (log: Logger) => Promise<T>): Promise<T> {
  const { logging, host } = readSettings(configFile);
  const log = createLogger(logging, { openDatagram, stdout: process.stderr, host: host.name });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

async function checkConfig(file: string, options: { readonly database: boolean }): Promise<CheckReport> {
  let settings: Settings;
  try {
    settings = judgeSettings(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { file, ...judged(error.problems), ...NOTHING_USABLE, database: null };
  }
  const { document, processNames, refusals, watchedNames } = settings;
  const { usable } = document;
  const units = new UnitReport(settings, silent);
  const isAsked = options.database && canAsk(document);
  const { report: database, ...rows } = isAsked ? await askDatabase(settings, units) : NOT_ASKED;
  const events = await eventProblems(settings);
  const found = judged([...(await units.problems(rows)), ...events]);
  if (!usable) return { file, ...found, ...NOTHING_USABLE, database };
  return {
    file,
    ...found,
    usable,
    processNames,
    refused: processNames.filter((name) => refusals.has(name)),
    watchExit: watchedNames.length === 0 ? null : await watchMeans(settings, events.length === 0),
    unnamed: units.unnamedRule(),
    database,
  };
}

const NOTHING_USABLE = { usable: false, processNames: [], refused: [], watchExit: null } as const;
const NOT_ASKED = {
  report: null,
  hasRow: unknownRow,
  rowUnknown: 'whether PROCESE has it is not known without --database',
} as const;

/** False if a line cannot be read: it may have been about the database. */
function canAsk(document: ConfigDocument): boolean {
  return !['', 'database', 'host'].some((section) => document.hasError(section));
}

function judged(problems: readonly ConfigProblem[]): Pick<CheckReport, 'problems' | 'errors' | 'warnings'> {
  return { problems, errors: countProblems(problems, 'error'), warnings: countProblems(problems, 'warning') };
}

/** A warning if process events are configured but not available: the daemon continues without them. */
async function eventProblems({ document, events }: Settings): Promise<ConfigProblem[]> {
  if (events === undefined || document.hasError('events')) return [];
  const source = await createSource(events.types);
  const subscription = await source.subscribe(() => {});
  source.close();
  if (subscription.kind === 'open') return [];
  const problem = `process events are not available here: ${subscription.reason}`;
  return [{ severity: 'warning', line: 0, section: 'events', key: '', problem }];
}

async function watchMeans({ events }: Settings, available: boolean): Promise<string> {
  const { describeMeans, exitMeans } = await import('../detectors/exits/means.ts');
  return describeMeans(exitMeans(events !== undefined && available));
}
