import type { ProcessDetails } from '../../src/control/orders/describe.ts';
import type { PinOffer } from '../../src/control/orders/pins.ts';
import type { Orders } from '../../src/control/orders.ts';
import type { DaemonStatus, ProcessStatus } from '../../src/control/status.ts';
import type { Logger } from '../../src/core/logger.ts';

/** A status as a daemon at rest gives it. */
export function someStatus(changes: Partial<DaemonStatus> = {}): DaemonStatus {
  return {
    version: '1.2.3',
    pid: 4711,
    startedAt: new Date(Date.now() - 3_600_000).toISOString(),
    mode: 'act',
    configFile: '/opt/monitor_service/config.ini',
    store: {
      description: 'mysql localhost/v_process_monitor',
      state: 'ok',
      since: new Date(Date.now() - 3_600_000).toISOString(),
      reason: null,
      lastPollAt: new Date(Date.now() - 12_000).toISOString(),
      alarms: 1,
    },
    recovering: 0,
    processes: [],
    holds: [],
    ...changes,
  };
}

/** A process at rest. */
export function someProcess(changes: Partial<ProcessStatus> = {}): ProcessStatus {
  return {
    name: 'nginx',
    processId: '12',
    target: 'nginx',
    strategy: 'service',
    inAlarm: false,
    rows: [],
    state: 'quiet',
    reason: null,
    waitingFor: [],
    breaker: { state: 'closed', failures: 0, remainingMs: 0 },
    alarmKept: false,
    watched: null,
    lastRecovery: null,
    ...changes,
  };
}

/** All that is known of a process at rest. */
export function someDetails(changes: Partial<ProcessDetails> = {}): ProcessDetails {
  return {
    process: someProcess(),
    pid: 4711,
    store: someStatus().store,
    rows: [],
    hold: null,
    running: null,
    unit: null,
    recoveries: [],
    restart: { strategy: 'service', target: 'unit nginx.service', stops: [], starts: [], refusals: [] },
    output: null,
    ...changes,
  };
}

/** A program of root's that lies in a user's folder. */
export function someOffer(changes: Partial<PinOffer> = {}): PinOffer {
  return {
    name: 'app',
    systemName: 'app',
    digest: 'd'.repeat(64),
    running: true,
    concern: 'it would be started as root: /home/joe belongs to user 1000; run `monitor_service pin app` or set start_command',
    launches: [
      {
        argv: ['python3', '/home/joe/app.py', 'two words'],
        executable: '/usr/bin/python3.11',
        cwd: '/home/joe',
        uid: 0,
        gid: 0,
        groups: [],
        variables: ['PATH', 'TOKEN'],
        files: [
          { path: '/usr/bin/python3.11', sha256: 'e'.repeat(64) },
          { path: '/home/joe/app.py', sha256: 'f'.repeat(64) },
        ],
      },
    ],
    ...changes,
  };
}

/** What was asked of the orders: the method and its arguments. */
export type Call = readonly [keyof Orders, ...unknown[]];

/** Orders that do nothing and remember what they were asked; `script` replaces single ones, and answers those that are not here. */
export function scriptedOrders(script: Partial<Orders> = {}): { readonly orders: Orders; readonly calls: Call[] } {
  const calls: Call[] = [];
  const plain: Partial<Orders> = {
    status: () => someStatus({ processes: [someProcess()] }),
    recover: async () => ({ kind: 'recovered', attempts: 1, durationMs: 1234 }),
    resetBreakers: async (name) => ({ kind: 'done', reset: name === undefined ? ['nginx', 'db'] : [name] }),
    preview: async (name) => ({
      kind: 'done',
      strategy: 'process',
      target: `program ${name}`,
      stops: [`pid 12 ${name}`],
      starts: [`exec ${name}`],
      refusals: [],
    }),
    describe: async (name) => ({ kind: 'done', ...someDetails({ process: someProcess({ name }) }) }),
    reload: async () => ({ kind: 'done', changes: ['[monitor] check_interval: 300 to 60'], warnings: [] }),
    hold: async (_, forMs) => ({
      kind: 'done',
      until: forMs === undefined ? null : new Date(Date.now() + forMs).toISOString(),
    }),
    release: async (name) => ({ kind: 'done', released: [name ?? null] }),
    uptime: async (name = 'nginx') => ({
      kind: 'done',
      from: '2026-10-27T02:04:11.000Z',
      to: '2026-11-26T02:04:11.000Z',
      uptimes: [
        {
          ...{ name, kind: 'process', percent: 99.999, upMs: 2_591_900_000, downMs: 20_000, heldMs: 0, unknownMs: 80_000 },
          ...{ outages: 2, longestMs: 15_000, meanToRecoverMs: null },
        },
        {
          ...{ name: 'page', kind: 'check', percent: null, upMs: 0, downMs: 0, heldMs: 0, unknownMs: 2_592_000_000 },
          ...{ outages: 0, longestMs: 0, meanToRecoverMs: null },
        },
      ],
    }),
    checks: async () => ({ kind: 'done', checks: [] }),
    incidents: async () => ({ kind: 'done', incidents: [] }),
    pins: async (name = 'app') => ({ kind: 'done', offers: [someOffer({ name })], refusals: [] }),
    pin: async (name) => ({ kind: 'done', pinned: [name] }),
    unpin: async (name = 'app') => ({ kind: 'done', unpinned: [name] }),
    alarm: async (nameOrId) => ({ kind: 'done', processes: [{ id: '12', name: nameOrId }] }),
  };
  const recorded = Object.fromEntries(
    Object.entries({ ...plain, ...script }).map(([order, act]) => [
      order,
      (...args: unknown[]) => {
        calls.push([order as keyof Orders, ...args]);
        return (act as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { orders: recorded as unknown as Orders, calls };
}

/** A log that is kept. */
export function keptLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (message: string): void => {
      lines.push(`${level} ${message}`);
    };
  return { log: { debug: at('debug'), info: at('info'), warning: at('warning'), error: at('error') }, lines };
}
