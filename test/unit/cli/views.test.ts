import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { readArguments } from '../../../src/cli/arguments.ts';
import { displayWidth, ellipsize, padTo } from '../../../src/cli/display-width.ts';
import { formatDuration, parseDuration } from '../../../src/cli/duration.ts';
import { exitCodeMeanings, exitCodes } from '../../../src/cli/exit-codes.ts';
import { jsonText } from '../../../src/cli/json-output.ts';
import { createOutput } from '../../../src/cli/output.ts';
import { listenForSignals } from '../../../src/cli/process-signals.ts';
import { renderStatus } from '../../../src/cli/status-view.ts';
import { renderTable } from '../../../src/cli/table.ts';
import type { DaemonStatus } from '../../../src/control/orders.ts';
import { someProcess, someStatus } from '../../helpers/scripted-orders.ts';

describe('durations', () => {
  it('are read with or without a unit', () => {
    const good = {
      '90': 90e3,
      '90s': 90e3,
      '30m': 1800e3,
      '2h': 7200e3,
      '1d': 86_400e3,
      ' 5m ': 300e3,
      '3650d': 3650 * 86_400e3,
    };
    for (const [text, ms] of Object.entries(good)) assert.equal(parseDuration(text), ms, text);
    for (const text of ['', '0', '0d', '-1', '1.5h', '1w', 'h', '1h30m', '3651d', '1e3', '０', '99999999999'])
      assert.equal(parseDuration(text), undefined, text);
  });

  it('are written in two units', () => {
    const shown = {
      0: '0 s',
      340: '0.3 s',
      9999: '10 s',
      45000: '45 s',
      720000: '12 min',
      12000000: '3 h 20 min',
      187200000: '2 d 4 h',
      '-5': '0 s',
    };
    for (const [ms, text] of Object.entries(shown)) assert.equal(formatDuration(Number(ms)), text);
  });
});

describe('text on a terminal', () => {
  it('is measured in columns', () => {
    for (const [text, width] of [
      ['abc', 3],
      ['名前', 4],
      ['e\u0301', 1],
      ['', 0],
      ['🚀', 2],
      ['ăîșț', 4],
      ['한글', 4],
    ] as const)
      assert.equal(displayWidth(text), width, text);
  });

  it('is cut and padded by columns', () => {
    assert.equal(ellipsize('abcdef', 4), 'abc…');
    assert.equal(ellipsize('名前名前', 4), '名…');
    assert.equal(ellipsize('abc', 3), 'abc');
    assert.equal(ellipsize('abc', 0), '');
    assert.equal(padTo('名', 4), '名  ');
  });

  it('stands in aligned tables that fit', () => {
    const rows = [
      [{ text: '名前' }, { text: '1', style: 'red' as const }, { text: 'x'.repeat(100) }],
      [{ text: 'n'.repeat(60) }, { text: '22' }, { text: 'y' }],
    ];
    for (const width of [0, 1, 5, 20, 50, 80, 200]) {
      for (const line of renderTable(['NAME', 'N', 'LAST'], rows, { width, colour: false }))
        assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
    }
    const uncut = renderTable(['NAME', 'N', 'LAST'], rows, { width: undefined, colour: false });
    assert.equal(displayWidth(uncut[1] ?? '') > 100, true);
    assert.equal(uncut[2]?.indexOf('22'), 62);
    assert.match(
      renderTable(['A', 'B'], [[{ text: 'a' }, { text: 'b', style: 'red' }]], { width: 80, colour: true })[1] ?? '',
      /^a {2}\u001b\[31mb\u001b\[39m$/,
    );
  });

  it('has colour where it may', () => {
    const stream = { write: () => {}, on: () => {} };
    const colour = (isTTY: boolean, env: Record<string, string>): boolean => createOutput({ ...stream, isTTY }, env).colour;
    assert.deepEqual(
      [
        colour(true, {}),
        colour(true, { NO_COLOR: '1' }),
        colour(true, { TERM: 'dumb' }),
        colour(false, {}),
        colour(false, { FORCE_COLOR: '1' }),
        colour(true, { FORCE_COLOR: '1', NO_COLOR: '1' }),
      ],
      [true, false, false, false, true, false],
    );
  });

  it('of JSON shows nothing that a terminal obeys, and is the same value', () => {
    const value = { 'a\u009b': '\u001b\u007f\u202e\u2028\ufeff\u200b\u3164\u{e0041}\u{e0100}名\ud800' };
    const text = jsonText(value);
    assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Cs}\u2028]/u);
    assert.deepEqual(JSON.parse(text), value);
  });
});

describe('the status for people', () => {
  const now = new Date('2025-03-01T12:00:00Z');
  const ago = (ms: number): string => new Date(now.getTime() - ms).toISOString();

  it('says which host it is of, where the daemon tells', () => {
    const head = (host: string | undefined): string =>
      renderStatus(someStatus({ host, version: '1.0', pid: 7 }), now, { width: undefined, colour: false })[0] ?? '';
    assert.match(head('db1'), /^monitor_service 1\.0 on db1, pid 7/);
    assert.match(head(undefined), /^monitor_service 1\.0, pid 7/);
  });

  it('keeps its columns, whatever is left out of a name', () => {
    const names = ['web', 'ngi\u200bnx\u00ad', '\u3164\u115f\u{e0041}db\ufe0f', '名\u2060前', '👩‍👧', 'e\u0301\u034f'];
    const processes = names.map((name, i) => someProcess({ name, processId: String(i + 1000) }));
    const lines = renderStatus(someStatus({ processes }), now, { width: undefined, colour: false });
    const rows = lines.filter((line) => /\b100\d\b/.test(line));
    assert.equal(rows.length, names.length);
    assert.ok(rows.some((line) => line.startsWith('nginx ')) && rows.some((line) => line.startsWith('db ')));
    const columns = rows.map((line) => displayWidth(line.slice(0, line.search(/100\d/))));
    assert.equal(new Set(columns).size, 1, columns.join());
  });

  it('shows lives only where something is watched, and that an alarm is kept', () => {
    const plain = renderStatus(someStatus({ processes: [someProcess()] }), now, { width: undefined, colour: false });
    assert.doesNotMatch(plain.join('\n'), /EXITS/);
    const lastExit = { at: ago(60_000), cause: 'exit \u001bcode 1', uptimeMs: 5, expected: false };
    const processes = [
      someProcess({
        name: 'a',
        inAlarm: true,
        alarmKept: true,
        watched: { runs: false, stopped: false, pid: 7, since: null, exits: 3, lastExit },
      }),
      someProcess({
        name: 'b',
        watched: { runs: true, stopped: false, pid: 8, since: ago(3_600_000), exits: 0, lastExit: null },
      }),
      someProcess({
        name: 'c',
        watched: { runs: false, stopped: true, pid: 8, since: null, exits: 0, lastExit: { ...lastExit, expected: true } },
      }),
      someProcess({ name: 'd' }),
    ];
    const lines = renderStatus(someStatus({ processes }), now, { width: undefined, colour: false }).slice(-5);
    assert.match(lines[0] ?? '', /BREAKER +UP +EXITS +LAST EXIT +LAST RECOVERY/);
    assert.match(lines[1] ?? '', /^a .* kept .* down +3 +exit .?code 1 60 s ago/);
    assert.match(lines[2] ?? '', /^b .* closed +60 min +0 +- /);
    assert.match(lines[3] ?? '', /^c .* \(no alarm\) /);
    assert.match(lines[4] ?? '', /^d .* closed +- +- +- +-/);
  });

  it('names other supervisors where there are any, and that one is waited for not as a fault', () => {
    const waiting = 'waiting for supervisord (pid 12)';
    const processes = [
      someProcess({ name: 'a', inAlarm: true, state: 'waiting', reason: waiting, supervisor: 'supervisord (pid 12)' }),
      someProcess({ name: 'b', supervisor: null }),
    ];
    const lines = renderStatus(someStatus({ processes }), now, { width: undefined, colour: true }).slice(-3);
    assert.match(stripVTControlCharacters(lines[0] ?? ''), /BREAKER +KEPT BY +LAST RECOVERY/);
    assert.match(lines[1] ?? '', /\u001b\[33mwaiting for supervisord \(pid 12\)\u001b.* supervisord \(pid 12\) +-/);
    assert.match(lines[2] ?? '', / - +-$/);
    const plain = renderStatus(someStatus({ processes: [someProcess()] }), now, { width: undefined, colour: false });
    assert.doesNotMatch(plain.join('\n'), /KEPT BY/);
  });

  it('says under the table which programs would not be started again, and what to do', () => {
    const concern = "it would be started as root: /home/joe is user 1000's; run `monitor_service pin a` or set start_command";
    const processes = [someProcess({ name: 'a\u001b', concern }), someProcess({ name: 'b', concern: null }), someProcess()];
    const lines = renderStatus(someStatus({ processes }), now, { width: 60, colour: false });
    assert.deepEqual(lines.slice(-2), ['', `a? would not be started again: ${concern}`]);
  });

  it('shows what wants attention first', () => {
    const lines = renderStatus(
      someStatus({
        startedAt: ago(3_600_000),
        mode: 'observe',
        store: {
          description: 'mysql a',
          state: 'unknown',
          since: ago(300_000),
          reason: 'refused',
          lastPollAt: ago(360_000),
          alarms: null,
        },
        recovering: 1,
        holds: [{ name: '*', until: null, reason: 'upgrade' }],
        processes: [
          someProcess({ name: 'b' }),
          someProcess({ name: 'a', processId: null }),
          someProcess({ name: 'h', state: 'held' }),
          someProcess({
            name: 'z',
            inAlarm: true,
            state: 'open',
            breaker: { state: 'open', failures: 3, remainingMs: 720_000 },
            lastRecovery: { at: ago(60_000), outcome: 'failed', detail: 'exit code 1' },
          }),
        ],
      }),
      now,
      { width: undefined, colour: false },
    );
    assert.deepEqual(lines.slice(0, 5), [
      'monitor_service 1.2.3, pid 4711, up 60 min, mode observe: nothing is restarted',
      'configuration  /opt/monitor_service/config.ini',
      'alarm store    mysql a: alarms unknown for 5 min (refused)',
      'recovering     1',
      'on hold        all processes until released: upgrade',
    ]);
    assert.deepEqual(
      lines.slice(7).map((line) => line.split(' ')[0]),
      ['z', 'h', 'a', 'b'],
    );
    assert.match(lines[7] ?? '', /^z +12 +service +yes +breaker open +open, 12 min left +failed 60 s ago: exit code 1$/);
  });

  it('tells of the event stream where there is one', () => {
    const shown = (events: DaemonStatus['events']): string[] =>
      renderStatus(someStatus({ events }), new Date(), { width: undefined, colour: false }).filter((line) =>
        line.startsWith('events'),
      );
    const open = { state: 'open', reason: null, clients: 2, lost: 0, dropped: 0 } as const;
    assert.deepEqual(shown(open), ['events         kernel connector, 2 clients, 0 lost']);
    assert.deepEqual(shown({ ...open, clients: 1, lost: 4, dropped: 12, failedLogins: 1 }), [
      'events         kernel connector, 1 client, 4 lost, 12 dropped for slow clients, 1 failed login',
    ]);
    assert.deepEqual(shown({ ...open, state: 'unavailable', reason: 'no connector' }), ['events         off: no connector']);
    assert.deepEqual([...shown(null), ...shown(undefined)], []);
  });

  it('tells by which means exits are noticed, where any is', () => {
    const shown = (exitWatch: string | null): string[] =>
      renderStatus(someStatus({ exitWatch }), new Date(), { width: undefined, colour: false }).filter((line) =>
        line.startsWith('watch_exit'),
      );
    assert.deepEqual(shown('exits by pidfd'), ['watch_exit     exits by pidfd']);
    assert.deepEqual(shown(null), []);
  });

  it('says of an open circuit breaker whose time is over what comes next', () => {
    const breaker = { state: 'open', failures: 3, remainingMs: 0 } as const;
    const lines = renderStatus(someStatus({ processes: [someProcess({ breaker })] }), new Date(), {
      width: undefined,
      colour: false,
    });
    assert.match(lines.at(-1) ?? '', / open, one try next /);
  });

  it('shows who waits for whom, and not as a fault', () => {
    const processes = [someProcess({ inAlarm: true, state: 'waiting', waitingFor: ['db'] })];
    const lines = renderStatus(someStatus({ processes }), now, { width: undefined, colour: true });
    assert.ok(lines.at(-1)?.includes('\u001b[33mwaiting for db\u001b[39m'), lines.at(-1));
  });

  it('shows what is not known as neither good nor bad', () => {
    const processes = [someProcess({ inAlarm: true, state: 'alarm', reason: 'not proved: db could not be resolved' })];
    const lines = renderStatus(someStatus({ processes }), now, { width: undefined, colour: true });
    assert.ok(lines.at(-1)?.includes('\u001b[33mnot proved: db could not be resolved\u001b[39m'), lines.at(-1));
  });

  it('keeps to the width of the terminal', () => {
    const processes = [
      someProcess({ name: '名'.repeat(100), lastRecovery: { at: ago(0), outcome: 'failed', detail: 'd'.repeat(300) } }),
    ];
    for (const width of [1, 20, 80]) {
      for (const line of renderStatus(someStatus({ configFile: '/c'.repeat(200), processes }), now, { width, colour: false })) {
        assert.ok(displayWidth(line) <= Math.max(width, 16), `${width}: ${line}`);
      }
    }
  });
});

describe('arguments', () => {
  it('in the spelling of the bash service become commands', () => {
    const cases: [string, string][] = [
      ['--status', 'status'],
      ['--config c --status --json', '--config c status --json'],
      ['--restart n', 'restart -- n'],
      ['--restart --config', 'restart -- --config'],
      ['--restart n --config c', 'restart --config c -- n'],
      ['status --status', 'status --status'],
      ['alarm x --notes --restart', 'alarm x --notes --restart'],
      ['--config --status', '--config --status'],
      ['--config=c --verbose', '--config=c --verbose'],
      ['-- --status', '-- --status'],
    ];
    for (const [given, expected] of cases) {
      assert.deepEqual(readArguments(given.split(' '), ['status', 'alarm']), { kind: 'arguments', argv: expected.split(' ') });
    }
  });
});

describe('signals', () => {
  it('are stop, then abort; and reload; and none is lost before somebody listens', () => {
    const listeners = new Map<string, () => void>();
    const signals = listenForSignals({ on: (name, listener) => listeners.set(name, listener) });
    const seen: string[] = [];
    listeners.get('SIGTERM')?.();
    listeners.get('SIGHUP')?.();
    signals.onStop(() => seen.push('stop'));
    signals.onAbort(() => seen.push('abort'));
    signals.onReload(() => seen.push('reload'));
    listeners.get('SIGINT')?.();
    listeners.get('SIGHUP')?.();
    assert.deepEqual(seen, ['stop', 'reload', 'abort', 'reload']);
  });
});

describe('exit codes', () => {
  it('are distinct, and each is explained', () => {
    const codes = Object.values(exitCodes);
    assert.equal(new Set(codes).size, codes.length);
    for (const code of codes) if (code !== 141) assert.ok(exitCodeMeanings[code].length > 0);
  });
});
