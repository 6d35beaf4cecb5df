import type { CheckReport, CliBackends } from '../../src/app/backends.ts';
import { createOrderClient, giveOrder } from '../../src/control/orders.ts';
import { ConfigError, StoreError } from '../../src/core/errors.ts';
import { type Call, scriptedOrders, someDetails, someProcess, someStatus } from './scripted-orders.ts';

/** What check-config reports of a file in which nothing is wrong. */
export function someReport(changes: Partial<CheckReport> = {}): CheckReport {
  const none = { problems: [], errors: 0, warnings: 0, processNames: [], refused: [], watchExit: null, database: null };
  return { file: 'c.ini', usable: true, ...none, ...changes };
}

/** Backends that only say that they were asked: the command line is tested, not what is behind it. */
export function smallBackends(changes: Partial<CliBackends> = {}): {
  readonly backends: CliBackends;
  readonly calls: unknown[];
} {
  const calls: unknown[] = [];
  const backends: CliBackends = {
    runDaemon: async ({ configFile, verbose, signals }) => {
      calls.push(['runDaemon', configFile, verbose]);
      // Like a daemon's loop, it keeps the process alive; listening for signals alone does not.
      const alive = setInterval(() => {}, 60_000);
      await new Promise<void>((resolve) => signals.onStop(resolve));
      clearInterval(alive);
    },
    runDemo: async ({ say }) => {
      calls.push(['runDemo']);
      say('demo');
    },
    followEvents: async ({ types }) => {
      calls.push(['followEvents', [...types]]);
      return { kind: 'ended', received: 0, lost: 0 };
    },
    serveEvents: async ({ types, signals: _, say, ...options }) => {
      calls.push(['serveEvents', [...types], options]);
      say('serving');
      return { kind: 'ended' };
    },
    checkConfig: async (file, { database }) => {
      calls.push(['checkConfig', file, database]);
      return someReport({ file, processNames: ['nginx'] });
    },
    offline: (configFile) => {
      const { orders, calls: orderCalls } = scriptedOrders({
        status: () => someStatus({ pid: 0, startedAt: null }),
        describe: async (name) => ({ kind: 'done', ...someDetails({ pid: 0, process: someProcess({ name }) }) }),
      });
      return createOrderClient(async (name, args) => {
        const result = await giveOrder(orders, name, args);
        calls.push(...orderCalls.splice(0).map((call: Call) => ['offline', configFile, ...call]));
        return result;
      });
    },
    ...changes,
  };
  return { backends, calls };
}

/** Errors as the real backends throw them. */
export const backendErrors = {
  config: new ConfigError('c.ini', [
    {
      severity: 'error',
      line: 3,
      section: 'monitor',
      key: 'mode',
      problem: 'invalid value "x", expected act or observe',
    },
    { severity: 'error', line: 0, section: '', key: '', problem: 'something else' },
  ]),
  unreachable: new StoreError('unreachable', 'mysql db1:3306: connection refused'),
  denied: new StoreError('denied', 'mysql db1:3306: access denied'),
  held: Object.assign(new Error('another monitor_service (pid 42) runs on /var/lib/monitor_service'), { code: 'STATE_HELD' }),
};
