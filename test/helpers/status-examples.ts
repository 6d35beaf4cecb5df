import type { ProcessDetails } from '../../src/control/orders/describe.ts';
import { processStateNames } from '../../src/control/process-state.ts';
import type { DaemonStatus, ProcessStatus } from '../../src/control/status.ts';
import { someDetails, someProcess, someStatus } from './scripted-orders.ts';

/** The time at which all examples are looked at. */
export const exampleTime = new Date('2026-11-27T02:04:11Z');

/** ISO 8601 of so long before. */
function ago(seconds: number): string {
  return new Date(exampleTime.getTime() - seconds * 1000).toISOString();
}

const MIN = 60;
const HOUR = 3600;
const DAY = 86_400;

const daemon = {
  version: '1.0.0',
  host: 'db1',
  pid: 812,
  startedAt: ago(9 * DAY + 4 * HOUR),
  systemd: { connection: 'private', problem: null, units: 'bus', unheard: 0 },
  events: { state: 'open', reason: null, clients: 2, lost: 0, dropped: 0 },
  exitWatch: 'exits by pidfd, new lives by the kernel connector',
} as const satisfies Partial<DaemonStatus>;

const store: DaemonStatus['store'] = {
  description: 'mysql db1.example.test:3306/v_process_monitor',
  state: 'ok',
  since: ago(9 * DAY),
  reason: null,
  lastPollAt: ago(3),
  alarms: 6,
};

const away: DaemonStatus['store'] = {
  ...store,
  state: 'unknown',
  fault: 'denied',
  since: ago(4 * MIN),
  reason:
    "mysql db1.example.test:3306: database login refused: Access denied for user 'monitor'@'10.0.0.7' (using password: YES)",
  lastPollAt: ago(5 * MIN),
  alarms: null,
};

function row(processId: string | null, notes: string | null, seconds: number): ProcessStatus['rows'][number] {
  return { processId, notes, since: ago(seconds), acknowledged: false };
}

function running(seconds: number, exits = 0): NonNullable<ProcessStatus['watched']> {
  return { runs: true, stopped: false, pid: 4711, since: ago(seconds), exits, lastExit: null };
}

function ended(cause: string, seconds: number, uptime: number, expected = false): NonNullable<ProcessStatus['watched']> {
  const lastExit = { at: ago(seconds), cause, uptimeMs: uptime * 1000, expected };
  return { runs: false, stopped: expected, pid: 4711, since: null, exits: 3, lastExit };
}

/** One process for each word there is, in the order of its table. */
const eachWord: readonly ProcessStatus[] = [
  someProcess({
    name: 'app-backend',
    state: 'recovering',
    inAlarm: true,
    rows: [row('12', 'port 8080 does not answer', 14)],
    reason: 'its circuit breaker is half open: one recovery is tried',
    breaker: { state: 'half_open', failures: 5, remainingMs: 0 },
    watched: ended('exit code 137', 14, 2),
    lastRecovery: { at: ago(31 * MIN), outcome: 'failed', detail: 'not healthy within 30 s: connection refused' },
  }),
  someProcess({
    name: 'report-mailer',
    state: 'refused',
    inAlarm: true,
    rows: [row('31', null, 2 * HOUR)],
    reason: 'config.ini:88: [process.report-mailer] restart_command: expected a command for strategy custom, got nothing',
    strategy: 'custom',
  }),
  someProcess({
    name: 'billing',
    state: 'open',
    inAlarm: true,
    rows: [row('7', 'Billing web server; call the shop before touching it', 3 * HOUR + 20 * MIN)],
    reason: '5 failed recoveries',
    breaker: { state: 'open', failures: 5, remainingMs: 12 * MIN * 1000 },
    watched: ended('SIGSEGV (core dumped)', 19 * MIN, 0.8),
    lastRecovery: {
      at: ago(18 * MIN),
      outcome: 'failed',
      detail:
        'the unit billing.service failed: exit code 1; Nov 27 02:45:51 billing[991]: cannot open /srv/billing/ledger.db: disk full',
    },
  }),
  someProcess({
    name: 'mariadb',
    state: 'held',
    reason: 'on hold until 2026-11-27 05:00:00 +0100: moving the disk',
    watched: ended('exit code 0', 41 * MIN, 9 * DAY, true),
  }),
  someProcess({
    name: 'web',
    state: 'waiting',
    inAlarm: true,
    rows: [row('3', 'HTTP 502', 40), row('4', 'HTTP 502', 38)],
    reason: 'waits for app-backend',
    waitingFor: ['app-backend'],
    watched: running(2 * DAY + 4 * HOUR),
    lastRecovery: { at: ago(2 * DAY + 4 * HOUR), outcome: 'recovered', detail: '1 attempt, 2.1 s' },
  }),
  someProcess({
    name: 'cache',
    state: 'observed',
    inAlarm: true,
    rows: [row('19', null, 100)],
    reason: 'mode observe: would have restarted it',
  }),
  someProcess({
    name: 'queue',
    state: 'alarm',
    inAlarm: true,
    rows: [row('22', 'depth 81233', 9)],
    reason: 'not proved: queue.example.test could not be resolved',
    supervisor: 'supervisord (pid 377)',
    watched: running(20 * HOUR + 59 * MIN, 1),
    lastRecovery: { at: ago(5), outcome: 'not_proved', detail: 'queue.example.test could not be resolved' },
  }),
  someProcess({
    name: 'indexer',
    state: 'failed',
    reason: 'the last recovery failed: the unit indexer.service is masked',
    lastRecovery: { at: ago(6 * HOUR), outcome: 'failed', detail: 'the unit indexer.service is masked' },
  }),
  someProcess({
    name: 'sshd-jump',
    state: 'down',
    reason: 'ended: SIGKILL, 2026-11-27 03:03:58 +0100',
    watched: ended('SIGKILL', 13, 12 * DAY),
    concern:
      'it would be started as root: /home/joe belongs to user 1000; run `monitor_service pin sshd-jump` or set start_command',
  }),
  someProcess({
    name: 'imap',
    state: 'unknown',
    inAlarm: null,
    reason: 'more rows are in alarm than are read at once',
    watched: running(45),
  }),
  someProcess({
    name: 'nginx',
    state: 'ok',
    watched: running(119 * MIN),
    lastRecovery: { at: ago(23 * HOUR + 50 * MIN), outcome: 'recovered', detail: '2 attempts, 14 s' },
  }),
  someProcess({ name: 'cron', state: 'quiet' }),
];

/** A status for each way to look. */
export const statusExamples = {
  words: someStatus({
    ...daemon,
    store: { ...store, leftOut: 212, remarks: ['STATUS_PROCESS.notes holds 100 characters: notes are cut'] },
    recovering: 1,
    holds: [{ name: 'mariadb', until: '2026-11-27T04:00:00.000Z', reason: 'moving the disk' }],
    processes: eachWord,
  }),
  unknown: someStatus({
    ...daemon,
    store: away,
    processes: [
      someProcess({
        name: 'billing',
        state: 'unknown',
        inAlarm: null,
        rows: [row('7', 'Billing web server; call the shop before touching it', HOUR)],
        reason: 'the alarm store does not answer; in alarm when it was read last',
        watched: running(2 * HOUR),
      }),
      someProcess({
        name: 'web',
        state: 'unknown',
        inAlarm: null,
        reason: 'the alarm store does not answer; not in alarm when it was read last',
      }),
      someProcess({
        name: 'queue',
        state: 'alarm',
        inAlarm: true,
        alarmKept: true,
        rows: [row(null, 'exit code 1', 90)],
        reason: 'the next try comes in 30 s',
        watched: { ...ended('exit code 1', 90, 5), runs: null },
      }),
    ],
  }),
  hostile: someStatus({
    ...daemon,
    store,
    processes: [
      'a-name-that-is-longer-than-any-column-of-a-table-should-ever-have-to-be-and-goes-on-beyond-the-terminal',
      '数据库服务器',
      'データベース・サーバー-本番環境-東京-第一データセンター',
      'cafe\u0301-o\u0308l',
      'web ',
      ' ok            no     closed',
      '',
      '\u001b[2J\u001b[Hcleared',
      'right\u202eto left',
      'harm\u200bless\u3164',
      '2000-01-01 00:00:00  [INFO] - forged\n2000-01-01 00:00:00  [INFO] - forged',
      '$(touch /tmp/bait)',
      '<b>bold</b>',
      '__proto__',
      '\ud83d\udc69\u200d\ud83d\udc67',
      'x'.repeat(255),
      '\u540d'.repeat(120),
    ].map((name, i) =>
      someProcess({
        name,
        state: processStateNames[i % processStateNames.length] ?? 'ok',
        inAlarm: i % 2 === 0,
        rows: i % 2 === 0 ? [row(String(18_446_744_073_709_551_615n - BigInt(i)), `${name} 注意`.repeat(2), i)] : [],
        reason: i % 3 === 0 ? `${name}: ${'word '.repeat(20)}` : null,
        watched: i % 4 === 0 ? ended(`${name}\n`, i, i) : null,
      }),
    ),
  }),
  none: someStatus({ ...daemon, store: { ...store, alarms: 0 }, events: null, exitWatch: null, systemd: null }),
  'no-daemon': someStatus({
    version: '1.0.0',
    host: 'db1',
    pid: 0,
    startedAt: null,
    store,
    systemd: null,
    events: null,
    exitWatch: null,
    processes: [
      ofWord('alarm'),
      { ...ofWord('ok'), state: 'quiet' as const, reason: 'runs, and no daemon watches it' },
      ofWord('quiet'),
    ],
  }),
} as const satisfies Record<string, DaemonStatus>;

function ofWord(word: ProcessStatus['state']): ProcessStatus {
  return eachWord.find(({ state }) => state === word) ?? someProcess();
}

/** Of one process, for each way to look. */
export const detailExamples = {
  open: someDetails({
    process: { ...ofWord('open'), pinnedAt: '2026-11-21T12:00:00.000Z' },
    pid: 812,
    store,
    rows: [
      { ...row('7', 'Billing web server; call the shop before touching it', 3 * HOUR + 20 * MIN), inAlarm: true },
      { processId: '8', notes: null, since: null, acknowledged: false, inAlarm: false },
      { processId: '9', notes: 'joe looks at it', since: ago(DAY), acknowledged: true, inAlarm: true },
    ],
    running: [],
    unit: 'billing.service',
    recoveries: [
      {
        at: ago(18 * MIN),
        outcome: 'failed',
        detail: 'the unit billing.service failed: exit code 1',
        output: [
          'Nov 27 02:45:50 billing[991]: reading /etc/billing.conf',
          'Nov 27 02:45:51 billing[991]: cannot open /srv/billing/ledger.db: disk full',
          'Nov 27 02:45:51 systemd[1]: billing.service: Main process exited, code=exited, status=1/FAILURE',
        ],
      },
      { at: ago(50 * MIN), outcome: 'not_proved', detail: 'billing.example.test could not be resolved', output: [] },
      { at: ago(3 * HOUR), outcome: 'recovered', detail: '2 attempts, 14 s', output: [] },
    ],
    restart: {
      strategy: 'service',
      target: 'unit billing.service',
      stops: ['billing.service'],
      starts: ['billing.service'],
      refusals: [],
      warnings: ['a process of the name billing runs outside the unit: pid 311'],
    },
    output: 'journalctl -u billing.service',
  }),
  ok: someDetails({
    process: { ...ofWord('ok'), supervisor: 'runsv (pid 90)' },
    pid: 812,
    store,
    rows: [{ processId: '1', notes: null, since: null, acknowledged: false, inAlarm: false }],
    running: [
      {
        pid: 4711,
        since: ago(119 * MIN),
        command: 'nginx: master process /usr/sbin/nginx',
        cpuPercent: 0.04,
        memoryBytes: 12_345_678,
      },
      { pid: 4713, since: ago(119 * MIN), command: 'nginx: worker process', cpuPercent: 12.345, memoryBytes: 1_912_345_678 },
      { pid: 4714, since: ago(45), command: 'nginx: worker process', cpuPercent: null, memoryBytes: null },
    ],
    unit: 'nginx.service',
    hold: { name: null, until: '2026-11-27T04:00:00.000Z', reason: 'upgrade', strict: true },
    restart: {
      strategy: 'auto',
      target: 'unit nginx.service',
      stops: ['nginx.service'],
      starts: ['nginx.service'],
      refusals: ['on hold: upgrade'],
    },
    output: '/var/log/nginx/error.log',
  }),
  unknown: someDetails({
    process: statusExamples.unknown.processes[0] ?? someProcess(),
    pid: 0,
    store: away,
    rows: null,
    running: null,
    unit: null,
    restart: { strategy: 'custom', target: '', stops: [], starts: ['bash -c /opt/billing/restart'], refusals: [] },
    output: null,
  }),
  quiet: someDetails({ process: ofWord('quiet'), pid: 812, store }),
} as const satisfies Record<string, ProcessDetails>;
