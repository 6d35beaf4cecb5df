import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderStatus } from '../../../../src/cli/status/overview.ts';
import { stateColours } from '../../../../src/cli/status/state-colours.ts';
import { localTime, roughlySince } from '../../../../src/cli/terminal/local-time.ts';
import { processStateNames } from '../../../../src/control/process-state.ts';
import type { DaemonStatus, ProcessStatus } from '../../../../src/control/status.ts';
import { someProcess, someStatus } from '../../../helpers/scripted-orders.ts';

const now = new Date('2025-03-01T12:00:00Z');
const ago = (ms: number): string => new Date(now.getTime() - ms).toISOString();

/** As it is printed where there is no terminal. */
function shown(changes: Partial<DaemonStatus>): string[] {
  return renderStatus(someStatus(changes), now, { width: undefined, colour: false });
}

/** The row of one process and what stands below it, in colour. */
function rowOf(process: Partial<ProcessStatus>, changes: Partial<DaemonStatus> = {}): string[] {
  const lines = renderStatus(someStatus({ ...changes, processes: [someProcess(process)] }), now, { width: 200, colour: true });
  return lines.slice(lines.findIndex((line) => line.includes('PROCESS')) + 1);
}

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
const yellow = (text: string) => `\u001b[33m${text}\u001b[39m`;

describe('the status', () => {
  it('says which host it is of, if the daemon says so', () => {
    assert.match(shown({ host: 'db1', version: '1.0', pid: 7 })[0] ?? '', /^monitor_service 1\.0 on db1, pid 7/);
    assert.match(shown({ host: undefined, version: '1.0', pid: 7 })[0] ?? '', /^monitor_service 1\.0, pid 7/);
  });

  it('begins with the daemon, the time, and what is known about alarms', () => {
    const lines = shown({
      startedAt: ago(3_600_000),
      mode: 'observe',
      store: { ...someStatus().store, description: 'mysql a', lastPollAt: ago(2000) },
      recovering: 1,
      holds: [{ name: null, until: null, reason: 'upgrade' }],
      processes: [someProcess(), someProcess({ name: 'a', state: 'open' }), someProcess({ name: 'b', state: 'open' })],
    });
    assert.deepEqual(lines.slice(0, 7), [
      'monitor_service 1.2.3, pid 4711, up 60 min, mode observe: nothing is restarted',
      `as of          ${localTime(now)}`,
      'alarm store    mysql a: 1 in alarm, read 2 s ago',
      'processes      2 open, 1 quiet',
      'recovering     1',
      'on hold        all processes until released: upgrade',
      'configuration  /opt/monitor_service/config.ini',
    ]);
  });

  it('names the store, and what it refuses, once', () => {
    const told = (description: string, reason: string): string =>
      shown({ store: { ...someStatus().store, description, state: 'unknown', fault: 'denied', reason } }).find((line) =>
        line.startsWith('alarm store'),
      ) ?? '';
    const denied = "Access denied for user 'monitor'@'db1'";
    assert.match(
      told('mysql db1:3306/v_process_monitor', `mysql db1:3306: database login refused: ${denied}`),
      /^alarm store {4}mysql db1:3306\/v_process_monitor: alarms unknown.*\d: database login refused: Access denied for [^:]*$/,
    );
    assert.match(told('mysql db1:3306/v', 'mysql db1:3306: SELECT command denied'), / [+-]\d{4}: SELECT command denied/);
    // A file has no login.
    assert.match(
      told('sqlite /a/b.db', 'sqlite /a/b.db: this is a symbolic link of user 7'),
      / [+-]\d{4}: this is a symbolic link of user 7/,
    );
    assert.match(told('mysql db1:3306/v', 'mysql db1:33060 is away'), /mysql db1:33060 is away/);
  });

  it('says since when, and why, alarms are unknown, and how old what it shows is', () => {
    const line = (store: Partial<DaemonStatus['store']>): string => {
      const away = {
        description: 'mysql a',
        state: 'unknown',
        since: ago(300_000),
        reason: 'no route',
        lastPollAt: ago(360_000),
      };
      const lines = shown({ store: { ...someStatus().store, alarms: null, ...away, ...store } as DaemonStatus['store'] });
      return lines.find((each) => each.startsWith('alarm store'))?.slice(15) ?? '';
    };
    const since = localTime(ago(300_000));
    assert.equal(line({}), `mysql a: alarms unknown for 5 min, since ${since}: no route; the alarms shown were read 6 min ago`);
    assert.match(line({ fault: 'denied' }), /: database login refused: no route; /);
    assert.match(line({ lastPollAt: null }), /: no route; they have not been read yet$/);
    assert.equal(line({ state: 'starting', since: null, reason: null }), 'mysql a: alarms unknown, it has not answered yet');
  });

  it('shows that there are no processes without saying that nothing is in alarm if that is not known', () => {
    assert.equal(shown({}).at(-1), 'no processes configured or in alarm');
    for (const state of ['unknown', 'starting'] as const) {
      const last = shown({ store: { ...someStatus().store, state } }).at(-1);
      assert.equal(last, 'no processes configured; whether any is in alarm is not known');
    }
  });

  it('shows the event stream if there is one', () => {
    const events = (status: DaemonStatus['events']) => shown({ events: status }).filter((line) => line.startsWith('events'));
    const open = { state: 'open', reason: null, clients: 2, lost: 0, dropped: 0 } as const;
    assert.deepEqual(events(open), ['events         kernel connector, 2 clients, 0 lost']);
    assert.deepEqual(events({ ...open, clients: 1, lost: 4, dropped: 12, failedLogins: 1 }), [
      'events         kernel connector, 1 client, 4 lost, 12 dropped for slow clients, 1 failed login',
    ]);
    const listeners = [
      { kind: 'unix', address: '/run/e.sock', state: 'open', reason: null },
      { kind: 'tcp', address: '127.0.0.1:8080', state: 'unavailable', reason: 'the port is taken' },
    ] as const;
    assert.deepEqual(events({ ...open, listeners }), [
      'events         kernel connector, 2 clients, 0 lost; off on 127.0.0.1:8080: the port is taken',
    ]);
    assert.deepEqual(events({ ...open, state: 'unavailable', reason: 'no connector' }), ['events         off: no connector']);
    assert.deepEqual([...events(null), ...events(undefined)], []);
  });

  it('says by which means exits are noticed, if any are', () => {
    assert.ok(shown({ exitWatch: 'exits by pidfd' }).includes('watch_exit     exits by pidfd'));
    assert.doesNotMatch(shown({ exitWatch: null }).join('\n'), /watch_exit/);
  });

  it('says why what the daemon remembers is not saved, if it is not', () => {
    const full = shown({ unsaved: 'state.db cannot be used (full)' });
    assert.ok(
      full.some((line) => line.startsWith('state_dir      state.db cannot be used (full): breakers')),
      full.join('\n'),
    );
    assert.doesNotMatch(shown({ unsaved: null }).join('\n'), /state_dir/);
  });
});

describe('the table of processes', () => {
  it('begins with what is red, then what is yellow, and ends with what is at rest', () => {
    const processes = processStateNames.map((state) => someProcess({ name: `of-${state}`, state }));
    const lines = shown({ processes: [someProcess({ name: 'z', state: 'open' }), ...processes] });
    const names = lines.slice(-processes.length - 1).map((line) => line.split(' ')[0]);
    assert.deepEqual(names.slice(0, 3), ['of-refused', 'of-open', 'z']);
    assert.deepEqual(names.slice(-2), ['of-ok', 'of-quiet']);
    const colours = names.slice(3, -2).map((name) => stateColours[name?.slice(3) as keyof typeof stateColours]);
    assert.deepEqual(
      colours,
      [...colours].sort((a, b) => (a < b ? -1 : 1)),
    );
  });

  it('has green for nothing but ok', () => {
    for (const state of processStateNames) {
      const text = rowOf({ state, reason: 'why' }).join('\n');
      assert.equal(text.includes('\u001b[32m'), state === 'ok', state);
    }
  });

  it('says of an alarm yes, no, kept or unknown', () => {
    const cell = (process: Partial<ProcessStatus>) => rowOf(process)[0]?.split(/ +/)[2];
    assert.equal(cell({ inAlarm: true }), red('yes'));
    assert.equal(cell({ inAlarm: false }), 'no');
    assert.equal(cell({ inAlarm: null, state: 'unknown' }), yellow('unknown'));
    assert.equal(cell({ inAlarm: true, alarmKept: true }), red('kept'));
  });

  it('says of a row whose store is away what it said, and when', () => {
    const rows = [
      { processId: '12', notes: 'see page 7', since: ago(900_000), acknowledged: false },
      { processId: null, notes: null, since: ago(60_000), acknowledged: false },
    ];
    const store = { ...someStatus().store, state: 'unknown', lastPollAt: ago(240_000), alarms: null } as const;
    const [, reason, ...lines] = rowOf({ inAlarm: null, state: 'unknown', reason: 'why', rows }, { store });
    assert.equal(reason, `  ${yellow('why')}`);
    assert.deepEqual(lines, [
      '  alarm         process_id 12 was in alarm 4 min ago: see page 7',
      '  alarm         stored locally for 60 s (the store did not take it)',
    ]);
  });

  it('has ten rows of a name at most, and says how many more there are', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({
      processId: `${i}`,
      notes: null,
      since: null,
      acknowledged: i === 1,
    }));
    const lines = rowOf({ inAlarm: true, state: 'alarm', rows });
    assert.equal(lines.length, 12);
    assert.equal(lines[2], '  alarm         process_id 1 in alarm, acknowledged (sound = 1) and left alone');
    assert.equal(lines.at(-1), '                and 4990 more rows: status NAME');
  });

  it('has lives only if something is watched; down is red unless it was meant', () => {
    assert.doesNotMatch(shown({ processes: [someProcess()] }).join('\n'), /EXITS/);
    const lastExit = { at: ago(60_000), cause: 'exit \u001bcode 1', uptimeMs: 5000, expected: false };
    const gone = { runs: false, stopped: false, pid: 7, since: null, exits: 3, lastExit } as const;
    const [down, exit] = rowOf({ state: 'down', watched: gone });
    assert.ok(down?.includes(red('down')), down);
    assert.equal(exit, '  last exit     exit ?code 1, 60 s ago, after 5 s');
    for (const watched of [{ ...gone, stopped: true }, gone]) {
      const [row] = rowOf({ state: watched.stopped ? 'quiet' : 'held', watched });
      assert.match(row ?? '', / {2}down {2}/);
    }
    assert.match(
      rowOf({ watched: { ...gone, lastExit: { ...lastExit, expected: true } } })[1] ?? '',
      /code 1 \(no alarm\), 60 s/,
    );
    const up = { ...gone, runs: true, since: ago(12_000_000) };
    assert.match(rowOf({ state: 'ok', watched: up })[0] ?? '', /closed {3}3 h {2}3 {6}-$/);
    assert.ok(rowOf({ state: 'unknown', watched: { ...gone, runs: null } })[0]?.includes(yellow('unknown')));
  });

  it('says of an open circuit breaker how long, or what comes next', () => {
    const line = (breaker: ProcessStatus['breaker']) => rowOf({ breaker })[1];
    assert.equal(line({ state: 'open', failures: 3, remainingMs: 720_000 }), '  breaker       open, 12 min left, 3 failures');
    assert.equal(line({ state: 'open', failures: 3, remainingMs: 0 }), '  breaker       open, one try next, 3 failures');
    assert.equal(line({ state: 'half_open', failures: 0, remainingMs: 0 }), '  breaker       half-open');
    assert.equal(line({ state: 'closed', failures: 2, remainingMs: 0 }), '  breaker       closed, 2 failed');
    assert.equal(line({ state: 'closed', failures: 0, remainingMs: 0 }), undefined);
  });

  it('says below a row why it failed, who else keeps it, and what would not be started again; nothing twice', () => {
    const concern =
      'it would be started as root: /home/joe belongs to user 1000; run `monitor_service pin a` or set start_command';
    const lastRecovery = { at: ago(60_000), outcome: 'failed', detail: 'exit code 1' } as const;
    const process = { supervisor: 'runsv (pid 12)', concern, lastRecovery };
    const [row, ...lines] = rowOf(process);
    assert.ok(row?.endsWith(red('failed 60 s ago')), row);
    assert.deepEqual(lines, [
      '  kept by       runsv (pid 12)',
      '  last failure  exit code 1',
      `  no restart    ${yellow(`would not be started again: ${concern}`)}`,
    ]);
    const reason = 'waits for runsv (pid 12); the last recovery failed: exit code 1';
    assert.equal(rowOf({ ...process, concern: null, state: 'waiting', reason }).length, 2);
    const unproved = { ...lastRecovery, outcome: 'not_proved' } as const;
    assert.deepEqual(rowOf({ lastRecovery: unproved }).slice(1), ['  not proved    exit code 1']);
  });

  it('quotes a name whose ends or characters would not be seen, or that looks like columns', () => {
    const names = ['web', 'web ', ' web', '', '\u200b', 'ngi\u200bnx', 'a  ok'];
    const lines = shown({ processes: names.map((name) => someProcess({ name })) }).slice(-names.length);
    const begin = lines.map((line) => line.slice(0, line.indexOf('quiet')).trimEnd());
    assert.deepEqual(begin.sort(), ['" web"', '""', '"\\u200b"', '"a  ok"', '"ngi\\u200bnx"', '"web "', 'web']);
  });
});

describe('times for people', () => {
  it('are local, and say how far that is from UTC', () => {
    const { TZ } = process.env;
    try {
      for (const [zone, shownTime] of [
        ['UTC', '2025-03-01 12:00:00 +0000'],
        ['Europe/Berlin', '2025-03-01 13:00:00 +0100'],
        ['America/St_Johns', '2025-03-01 08:30:00 -0330'],
        ['Asia/Kathmandu', '2025-03-01 17:45:00 +0545'],
      ] as const) {
        process.env.TZ = zone;
        assert.equal(localTime(now), shownTime);
      }
    } finally {
      if (TZ === undefined) delete process.env.TZ;
      else process.env.TZ = TZ;
    }
    assert.equal(localTime('soon'), 'soon');
  });

  it('are rounded to one unit in a table', () => {
    for (const [ms, text] of [
      [12_000_000, '3 h'],
      [14_340_000, '3 h'],
      [59_000, '59 s'],
      [187_200_000, '2 d'],
      [340, '0.3 s'],
      [-5, '0 s'],
    ] as const)
      assert.equal(roughlySince(ago(ms), now), text);
    assert.equal(roughlySince('soon', now), 'soon');
  });
});
