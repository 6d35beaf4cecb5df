import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DbusValue } from '../../../../src/system/systemd/dbus/values.ts';
import { describeFailure } from '../../../../src/system/systemd/job-words.ts';
import { describeState } from '../../../../src/system/systemd/state-words.ts';
import { restartDueMs } from '../../../../src/system/systemd/unit/restart-due.ts';

/** A command as systemd tells it: how it went (0: it runs), its exit code or signal, and when it began and ended. */
function command(path: string, code: number, status: number, at = 1, ignored = false): DbusValue {
  const ended = code === 0 ? 0n : BigInt(at + 1);
  return [
    path,
    [path, '--password=secret'],
    ignored,
    BigInt(at),
    BigInt(at),
    ended,
    ended,
    code === 0 ? 4711 : 4711,
    code,
    status,
  ];
}

const [EXITED, KILLED, DUMPED] = [1, 2, 3];

function values(entries: Readonly<Record<string, DbusValue>>): Map<string, DbusValue> {
  return new Map(Object.entries(entries));
}

test('a failure names the command that failed, by its file alone, and how it ended', () => {
  const see = ', see journalctl -u a.service';
  for (const [entries, reason] of [
    [
      { Result: 'exit-code', ExecStartPre: [command('/bin/pre', EXITED, 3)], ExecStart: [command('/bin/app', 0, 0, 0)] },
      'failed (exit-code): ExecStartPre=/bin/pre ended with exit code 3',
    ],
    [
      {
        Result: 'exit-code',
        ExecStartPre: [command('/bin/pre', EXITED, 3, 1, true)],
        ExecStart: [command('/bin/app', EXITED, 1, 5)],
      },
      'failed (exit-code): ExecStart=/bin/app ended with exit code 1',
    ],
    [
      { Result: 'exit-code', ExecStart: [command('/bin/app', EXITED, 203)] },
      'failed (exit-code): ExecStart=/bin/app ended with exit code 203 (EXEC: it cannot be executed)',
    ],
    [
      { Result: 'signal', ExecStart: [command('/bin/app', KILLED, 9)] },
      'failed (signal): ExecStart=/bin/app was killed by SIGKILL',
    ],
    [
      { Result: 'core-dump', ExecStart: [command('/bin/app', DUMPED, 11)] },
      'failed (core-dump): ExecStart=/bin/app was killed by SIGSEGV and left a core dump',
    ],
    // What systemd has cleared up is not what failed.
    [
      { Result: 'exit-code', ExecMainCode: EXITED, ExecMainStatus: 4, ExecStartPost: [command('/bin/post', KILLED, 15)] },
      'failed (exit-code): its main process ended with exit code 4',
    ],
    [
      { Result: 'exit-code', ExecMainCode: EXITED, ExecMainStatus: 4, ExecStart: [command('/bin/app', 0, 0, 0)] },
      'failed (exit-code): ExecStart=/bin/app ended with exit code 4',
    ],
    [
      { Result: 'exit-code' },
      'failed (exit-code): one of its commands (ExecStartPre=, ExecStart=, ExecStartPost= …) ended with a failure exit code',
    ],
    [
      { Result: 'timeout', ExecStartPre: [command('/bin/pre', KILLED, 15)] },
      'failed (timeout): it was not ready within its TimeoutStartSec: ExecStartPre=/bin/pre had not finished',
    ],
    [
      { Result: 'timeout', ExecStop: [command('/bin/stop', KILLED, 15)] },
      'failed (timeout): ExecStop=/bin/stop did not end within TimeoutStopSec',
    ],
    [
      { Result: 'timeout', Type: 'forking', PIDFile: '/run/a.pid', MainPID: 0, ExecStart: [command('/bin/app', EXITED, 0)] },
      'failed (timeout): its PIDFile=/run/a.pid names none of its processes',
    ],
    [{ Result: 'protocol', Type: 'notify' }, 'failed (protocol): it did not follow the protocol of its Type=notify'],
    [{ Result: 'watchdog' }, 'failed (watchdog): it did not answer its watchdog in time'],
    [{ Result: 'oom-kill' }, 'failed (oom-kill): it was killed because memory ran out'],
    [{ Result: 'start-limit-hit' }, 'failed (start-limit-hit): it was started too often: its start limit is reached'],
    [{ Result: 'resources' }, 'failed (resources): systemd could not set it up (a file, a user or memory is missing)'],
    // The result of an earlier life says nothing of a start that a condition has kept from it.
    [
      {
        Result: 'exit-code',
        ConditionResult: false,
        ConditionTimestampMonotonic: 5n,
        Conditions: [['ConditionPathExists', false, true, '/run/no', -1]],
      },
      'ConditionPathExists=!/run/no is not met',
    ],
    // Never tested.
    [{ Result: 'success', ConditionResult: false, ConditionTimestampMonotonic: 0n }, 'its job failed'],
    [{}, 'its job failed'],
  ] as const)
    assert.equal(describeFailure('a.service', values(entries)), `${reason}${see}`);
});

test('what hangs is shown by the command that runs, by what its type waits for, or by the jobs in front of it', () => {
  const starting = { ActiveState: 'activating', SubState: 'start', Type: 'simple' };
  const app = [command('/bin/app', 0, 0)];
  for (const [entries, more, reason] of [
    [{ ...starting, ExecStartPre: [command('/bin/pre', 0, 0)] }, {}, 'ExecStartPre=/bin/pre still runs'],
    [{ ...starting, Type: 'oneshot', ExecStart: app }, {}, 'ExecStart=/bin/app still runs'],
    [{ ...starting, Type: 'notify', ExecStart: app }, {}, 'it has not notified systemd that it is ready (Type=notify)'],
    [
      { ...starting, Type: 'notify', StatusText: 'replay\u0007ing its log', ExecStart: app },
      {},
      'it has not notified systemd that it is ready (Type=notify) (its status: replay?ing its log)',
    ],
    [
      { ...starting, Type: 'notify', ExecStart: app, ExecStartPost: [command('/bin/post', 0, 0, 9)] },
      {},
      'ExecStartPost=/bin/post still runs',
    ],
    [{ ...starting, Type: 'dbus', ExecStart: app }, {}, 'it has not taken its BusName='],
    [
      { ...starting, Type: 'forking', PIDFile: '/run/a.pid', ExecStart: [command('/bin/app', EXITED, 0)] },
      {},
      'its PIDFile=/run/a.pid names none of its processes',
    ],
    [starting, {}, 'its start does not finish'],
    // After a daemon-reload.
    [
      { ...starting, SubState: 'start-pre', ExecStartPre: [command('/bin/pre', 0, 0, 0)] },
      {},
      'ExecStartPre=/bin/pre still runs',
    ],
    [
      { ActiveState: 'deactivating', SubState: 'stop', ExecStop: [command('/bin/stop', 0, 0, 0)] },
      {},
      'ExecStop=/bin/stop still runs',
    ],
    [
      { ActiveState: 'deactivating', SubState: 'stop', ExecStart: app, ExecStop: [command('/bin/stop', 0, 0, 9)] },
      {},
      'ExecStop=/bin/stop still runs',
    ],
    [{ ActiveState: 'deactivating', SubState: 'stop-sigterm', ExecStart: app }, {}, 'its processes do not end'],
    [{ ActiveState: 'active', SubState: 'running', Result: 'success' }, {}, undefined],
    [{ ActiveState: 'inactive', SubState: 'dead', Result: 'success' }, {}, undefined],
    [
      { ActiveState: 'inactive', SubState: 'dead', Job: [7, '/j'] },
      { waitsFor: ['base.service (start)'] },
      'its job waits for base.service (start)',
    ],
    [{ ActiveState: 'inactive', SubState: 'dead', Job: [7, '/j'] }, {}, 'its job has not begun'],
    [{ ActiveState: 'failed', Result: 'watchdog' }, {}, 'it did not answer its watchdog in time'],
    [
      { ActiveState: 'activating', SubState: 'auto-restart', Result: 'watchdog' },
      { dueInMs: 600_000 },
      'systemd will restart it by itself in 10 min: it did not answer its watchdog in time',
    ],
    [
      { ActiveState: 'activating', SubState: 'auto-restart', Result: 'success' },
      { dueInMs: Number.POSITIVE_INFINITY },
      'systemd will restart it by itself, but its RestartSec= is infinite',
    ],
  ] as const)
    assert.equal(describeState(values(entries as Readonly<Record<string, DbusValue>>), more), reason);
});

test('when systemd restarts a unit by itself: RestartSec=, or what RestartSteps= makes of it', () => {
  const waiting = { ActiveState: 'activating', SubState: 'auto-restart', StateChangeTimestampMonotonic: 5_000_000n };
  for (const [entries, dueMs] of [
    [{ ...waiting, RestartUSec: 2_000_000n }, 7000],
    [{ ...waiting, RestartUSec: 2_000_000n, RestartUSecNext: 9_000_000n }, 14_000],
    [{ ...waiting, RestartUSec: 2n ** 64n - 1n }, Number.POSITIVE_INFINITY],
    [{ ...waiting, RestartUSec: 1n, RestartUSecNext: 2n ** 64n - 1n }, Number.POSITIVE_INFINITY],
    [{ ...waiting, SubState: 'auto-restart-queued', RestartUSec: 600_000_000n }, 5000],
    [{ ...waiting, ActiveState: 'active', SubState: 'running', RestartUSec: 1n }, undefined],
    [{ ...waiting, SubState: 'start', RestartUSec: 1n }, undefined],
  ] as const)
    assert.equal(restartDueMs(values(entries)), dueMs);
});
