import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { waitFor } from '../../helpers/wait-for.ts';
import {
  COMMAND_TIMEOUT_S,
  type FailingUnit,
  type HungStart,
  openPatiently,
  openUnit,
  reasonOf,
  SLACK_MS,
  testFailure,
  testHungStart,
} from './hung-kind.ts';
import { knownUnits } from './runs.ts';
import { property, systemctl } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

const WAIT_FOR_OK = '[ -e %OK% ] || exec sleep 100000';

const HUNG_STARTS: Readonly<Record<string, HungStart>> = {
  'a oneshot (D2)': {
    service: ['Type=oneshot', "ExecStart=/bin/sh -c '[ -e %OK% ] && exit 0; sleep 100000'"],
    where: 'activating/start',
    why: /ExecStart=\/bin\/sh still runs/,
  },
  'ExecStartPre= of a simple one': {
    service: [`ExecStartPre=/bin/sh -c '${WAIT_FOR_OK}'`, 'ExecStart=/bin/sleep 600'],
    where: 'activating/start-pre',
    why: /ExecStartPre=\/bin\/sh still runs/,
  },
  'ExecStartPost=': {
    service: ['ExecStart=/bin/sleep 600', `ExecStartPost=/bin/sh -c '${WAIT_FOR_OK}'`],
    where: 'activating/start-post',
    why: /ExecStartPost=\/bin\/sh still runs/,
  },
  'a notify that is never ready': {
    service: [
      'Type=notify',
      'NotifyAccess=all',
      `ExecStart=/bin/sh -c '[ -e %OK% ] && systemd-notify --ready; exec sleep 100000'`,
    ],
    where: 'activating/start',
    why: /it has not notified systemd that it is ready \(Type=notify\)/,
  },
  'one that ignores SIGTERM': {
    service: [
      'TimeoutStopSec=infinity',
      `ExecStartPre=/bin/sh -c 'trap "" TERM; [ -e %OK% ] || while :; do sleep 1000; done'`,
      'ExecStart=/bin/sleep 600',
    ],
    where: 'activating/start-pre',
    why: /ExecStartPre=\/bin\/sh still runs/,
  },
  'a forking one that does not fork': {
    service: ['Type=forking', `ExecStart=/bin/sh -c '[ -e %OK% ] || exec sleep 100000; setsid sleep 600 & exit 0'`],
    where: 'activating/start',
    why: /ExecStart=\/bin\/sh still runs/,
  },
  'a forking one with a wrong PIDFile=': {
    service: [
      'Type=forking',
      'PIDFile=/run/%N.pid',
      `ExecStart=/bin/sh -c 'setsid sleep 600 & [ -e %OK% ] && echo $$! > /run/%N.pid; exit 0'`,
    ],
    where: 'activating/start',
    why: /its PIDFile=\/run\/hung-start-\S+\.pid names none of its processes/,
  },
};

/** What runs, and hangs once it is stopped. */
const HUNG_STOPS: Readonly<Record<string, readonly string[]>> = {
  'ExecStop=': ['ExecStart=/bin/sleep 600', "ExecStop=/bin/sh -c 'exec sleep 100000'"],
  'its process, which ignores SIGTERM': [`ExecStart=/bin/sh -c 'trap "" TERM; while :; do sleep 1; done'`],
  'ExecStopPost=': ['ExecStart=/bin/sleep 600', "ExecStopPost=/bin/sh -c '[ -e %OK% ] || exec sleep 100000'"],
};

/** Within as much again systemd has to end the stop, and to start the unit, on a busy machine too. */
const STOP_TIMEOUT_S = 10;

/** What fails, and what has to be said of it. */
const FAILURES: Readonly<Record<string, FailingUnit>> = {
  'exit code of ExecStartPre=': {
    lines: ['[Service]', "ExecStartPre=/bin/sh -c 'echo one; echo two; exit 3'", 'ExecStart=/bin/sleep 600'],
    why: /failed \(exit-code\): ExecStartPre=\/bin\/sh ended with exit code 3\b/,
    output: ['one', 'two'],
  },
  'exit code of a program': {
    lines: ['[Service]', "ExecStart=/bin/sh -c 'for i in 1 2 3 4 5 6 7; do echo line $$i; done; exit 1'"],
    why: /failed \(exit-code\).*: ExecStart=\/bin\/sh ended with exit code 1\b/,
    output: ['line 3', 'line 4', 'line 5', 'line 6', 'line 7'],
  },
  'a signal': {
    lines: ['[Service]', "ExecStart=/bin/sh -c 'echo bye; kill -9 $$$$'"],
    why: /failed \(signal\).*: ExecStart=\/bin\/sh was killed by SIGKILL/,
    output: ['bye'],
  },
  'no such program': {
    lines: ['[Service]', 'ExecStart=/no/such/program'],
    why: /failed \(exit-code\).*: ExecStart=\/no\/such\/program ended with exit code 203 \(EXEC: it cannot be executed\)/,
  },
  'no such user': {
    lines: ['[Service]', 'User=nobodyhere', 'ExecStart=/bin/sleep 600'],
    why: /failed \(exit-code\).*: ExecStart=\/bin\/sleep ended with exit code 217 \(USER: its User= is not known\)/,
  },
  'one of two conditions': {
    lines: ['[Unit]', 'ConditionPathExists=/run', 'ConditionPathExists=!/etc', '[Service]', 'ExecStart=/bin/sleep 600'],
    why: /ConditionPathExists=!\/etc.* is not met/,
  },
  'an assertion': {
    lines: ['[Unit]', 'AssertPathExists=/run/never-there', '[Service]', 'ExecStart=/bin/sleep 600'],
    why: /AssertPathExists=\/run\/never-there does not hold/,
  },
  'its start limit in time': {
    lines: ['[Service]', 'TimeoutStartSec=1', 'ExecStartPre=/bin/sleep 600', 'ExecStart=/bin/sleep 600'],
    why: /failed \(timeout\): it was not ready within its TimeoutStartSec: ExecStartPre=\/bin\/sleep had not finished/,
  },
  'a PIDFile= that is never written': {
    lines: [
      '[Service]',
      'Type=forking',
      'PIDFile=/run/wrong.pid',
      'TimeoutStartSec=1',
      "ExecStart=/bin/sh -c 'setsid sleep 600 & exit 0'",
    ],
    why: /failed \((timeout|protocol)\): its PIDFile=\/run\/wrong\.pid names none of its processes/,
  },
  'a notify that ends before it is ready': {
    lines: ['[Service]', 'Type=notify', "ExecStart=/bin/sh -c 'echo over; exit 0'"],
    why: /failed \(protocol\): it did not follow the protocol of its Type=notify/,
    output: ['over'],
  },
  'a working directory that is not there': {
    lines: ['[Service]', 'Type=oneshot', 'WorkingDirectory=/no/such/folder', 'ExecStart=/bin/true'],
    why: /failed \(exit-code\): ExecStart=\/bin\/true ended with exit code 200 \(CHDIR/,
  },
};

/** With auto it is the same restart; that no program is started beside the unit is seen with one that ends at once and one that stays. */
const HUNG_WITH_AUTO = ['a oneshot (D2)', 'a notify that is never ready'];

// They wait most of the time.
describe('units that hang, wait or fail', { concurrency: 8 }, () => {
  for (const [index, [what, hung]] of Object.entries(HUNG_STARTS).entries()) {
    testHungStart('service', index, what, hung);
    if (HUNG_WITH_AUTO.includes(what)) testHungStart('auto', index, what, hung);
  }
  for (const [index, [what, failing]] of Object.entries(FAILURES).entries()) testFailure(index, what, failing);

  for (const strategy of ['service', 'auto'])
    for (const [index, [what, service]] of Object.entries(HUNG_STOPS).entries()) {
      for (const isUnderWay of strategy === 'service' ? [true, false] : [false])
        test(`${strategy}: a stop that hangs in ${what} is ended by force${isUnderWay ? ', also if it was under way' : ''}`, async (t) => {
          const name = `hung-stop-${strategy}-${index}-${isUnderWay ? 'before' : 'ours'}`;
          const lines = ['[Service]', 'TimeoutStopSec=infinity', ...service];
          const { unit, begin, until, traps, restart, health } = openPatiently(t, name, strategy, STOP_TIMEOUT_S, lines);
          begin();
          await until('active/running');
          await waitFor('its program', () => !/systemd/.test(readFileSync(`/proc/${property(unit, 'MainPID')}/comm`, 'utf8')));
          if (service.some((line) => line.includes('trap'))) await traps();
          const before = property(unit, 'MainPID');
          if (isUnderWay) {
            systemctl('stop', '--no-block', unit);
            await until('deactivating');
          }
          const { outcome, tookMs } = await restart();
          assert(outcome.kind === 'restarted', JSON.stringify(outcome));
          assert.match(outcome.detail, /by force: it was deactivating \(\S+\) for 10 s$/);
          assert.ok(tookMs < 2000 * STOP_TIMEOUT_S + SLACK_MS, `${tookMs}`);
          assert.deepEqual(await health(), { kind: 'healthy' });
          assert.notEqual(property(unit, 'MainPID'), before);
          assert.deepEqual(knownUnits('monitor_service-app-*'), []);
        });
    }

  for (const strategy of ['service', 'auto'])
    test(`${strategy}: what systemd will restart in ten minutes is restarted at once (D3)`, async (t) => {
      for (const [index, pause] of ['600', 'infinity'].entries()) {
        const { unit, begin, mend, until, restart, health, explain, preview } = openPatiently(
          t,
          `later-${strategy}-${index}`,
          strategy,
          60,
          [
            '[Service]',
            "ExecStart=/bin/sh -c '[ -e %OK% ] && exec sleep 5000; echo no such port >&2; exit 7'",
            'Restart=always',
            `RestartSec=${pause}`,
          ],
        );
        begin();
        await until('auto-restart');
        const told = await explain();
        assert.match(
          told?.reason ?? '',
          /^systemd will restart it by itself( in 10 min|, but its RestartSec= is infinite|.*): ExecStart=\/bin\/sh ended with exit code 7$/,
        );
        assert.deepEqual(told?.output, ['no such port']);
        mend();
        assert.deepEqual((await preview()).starts, [`systemctl restart ${unit}`]);
        const { outcome, tookMs } = await restart();
        assert.deepEqual(outcome, { kind: 'restarted', detail: `systemctl restart ${unit}` });
        // As by hand; with auto it is seen to last for some seconds.
        if (strategy === 'service') assert.ok(tookMs < 60_000, `${tookMs}`);
        assert.deepEqual(await health(), { kind: 'healthy' });
        assert.equal(property(unit, 'NRestarts'), '0');
        assert.deepEqual(knownUnits('monitor_service-app-*'), []);
      }
    });

  test('what systemd restarts within command_timeout is waited for', async (t) => {
    const { unit, begin, mend, until, restart } = openPatiently(t, 'sooner', 'service', 60, [
      '[Service]',
      "ExecStart=/bin/sh -c '[ -e %OK% ] && exec sleep 5000; exit 7'",
      'Restart=always',
      // Time enough to ask before it is over.
      'RestartSec=8',
    ]);
    systemctl('start', unit);
    await until('auto-restart');
    mend();
    const { outcome } = await restart();
    assert.deepEqual(outcome, { kind: 'restarted', detail: `systemd restarted ${unit} itself` });
    assert.notEqual(property(unit, 'NRestarts'), '0');
    begin();
  });

  test('a start that is under way is joined; a stop that is under way is waited for', async (t) => {
    const { unit, begin, mend, until, restart, health } = openPatiently(t, 'under-way', 'service', 60, [
      '[Service]',
      'Type=notify',
      'NotifyAccess=all',
      `ExecStart=/bin/sh -c 'until [ -e %OK% ]; do sleep 0.1; done; systemd-notify --ready; exec sleep 600'`,
      `ExecStop=/bin/sh -c 'until [ -e %OK%.stop ]; do sleep 0.1; done'`,
    ]);
    t.after(() => rmSync(`/run/under-way.ok.stop`, { force: true }));
    begin();
    await until('activating/start');
    const first = property(unit, 'MainPID');
    assert.deepEqual((await restart(mend)).outcome, { kind: 'restarted', detail: `systemctl start ${unit}` });
    assert.deepEqual(await health(), { kind: 'healthy' });
    assert.equal(property(unit, 'MainPID'), first);
    systemctl('stop', '--no-block', unit);
    await until('deactivating');
    assert.deepEqual((await restart(() => writeFileSync('/run/under-way.ok.stop', ''))).outcome, {
      kind: 'restarted',
      detail: `systemctl start ${unit}`,
    });
    assert.deepEqual(await health(), { kind: 'healthy' });
    assert.notEqual(property(unit, 'MainPID'), first);
  });

  test('a start that waits for another unit says so; neither is killed', async (t) => {
    const other = openUnit(
      t,
      'slow-base',
      'service',
      '[Service]',
      'Type=oneshot',
      'TimeoutStartSec=infinity',
      'ExecStart=/bin/sleep 600',
    );
    const front = openUnit(
      t,
      'waiting-front',
      'auto',
      '[Unit]',
      'After=slow-base.service',
      '[Service]',
      'ExecStart=/bin/sleep 600',
    );
    other.begin();
    await other.until('activating/start');
    const before = property(other.unit, 'MainPID');
    const { outcome, tookMs } = await front.restart();
    assert.match(reasonOf(outcome), /waiting-front\.service is inactive.*: its job waits for slow-base\.service \(start\)/);
    assert.ok(tookMs < 2000 * COMMAND_TIMEOUT_S + SLACK_MS, `${tookMs}`);
    assert.equal(property(other.unit, 'MainPID'), before);
    assert.deepEqual(knownUnits('monitor_service-app-*'), [], 'it would come up beside the program');
    systemctl('stop', front.unit);
  });

  test('what a unit leaves alive on purpose is not killed with what hangs', async (t) => {
    const lines = ['[Service]', 'KillMode=process', 'TimeoutStopSec=infinity'];
    const program = `ExecStart=/bin/sh -c 'echo $$$$ >> /run/left.pids; sleep 1234 & echo $$! > /run/left.pid; trap "" TERM; while :; do sleep 1; done'`;
    const { begin, until, traps, restart, health } = openUnit(t, 'leaves', 'service', ...lines, program);
    begin();
    await until('active/running');
    await waitFor(
      'its child',
      () => execFileSync('sh', ['-c', 'cat /run/left.pid 2>/dev/null || true'], { encoding: 'utf8' }) !== '',
    );
    await traps();
    const child = readFileSync('/run/left.pid', 'utf8').trim();
    const { outcome } = await restart();
    assert(outcome.kind === 'restarted' && outcome.detail.includes('by force'), JSON.stringify(outcome));
    assert.deepEqual(await health(), { kind: 'healthy' });
    assert.match(readFileSync(`/proc/${child}/cmdline`, 'utf8'), /^sleep\0/);
    process.kill(Number(child), 'SIGKILL');
  });

  for (const strategy of ['service', 'auto'])
    test(`${strategy}: with SendSIGKILL=no a stop is waited for, and what does not end is not killed`, async (t) => {
      const lines = ['[Service]', 'SendSIGKILL=no', 'TimeoutStopSec=900'];
      // One of its children may be killed with it: systemd looks for what is in the cgroup after it has signalled the main process.
      const flush = `ExecStart=/bin/sh -c 'trap "for i in 1 2 3 4 5 6 7 8 9; do sleep 1; done; : > %OK%; exit 0" TERM; while :; do sleep 0.2; done'`;
      const slow = openUnit(t, `slow-${strategy}`, strategy, ...lines, flush);
      slow.begin();
      await slow.until('active/running');
      await slow.traps();
      const { outcome } = await slow.restart();
      const hung = 'it was deactivating (stop-sigterm) for 6 s';
      assert.deepEqual(outcome, { kind: 'restarted', detail: `systemctl restart ${slow.unit} after a longer wait: ${hung}` });
      assert.ok(existsSync(`/run/slow-${strategy}.ok`), 'it has flushed');
      const ignore = `ExecStart=/bin/sh -c 'trap "" TERM; while :; do sleep 1; done'`;
      const stuck = openUnit(t, `stuck-${strategy}`, strategy, ...lines, 'KillMode=mixed', ignore);
      stuck.begin();
      await stuck.until('active/running');
      await stuck.traps();
      const main = property(stuck.unit, 'MainPID');
      const reason = reasonOf((await stuck.restart()).outcome);
      const ban = 'does not end, and its SendSIGKILL=no forbids SIGKILL';
      assert.ok(
        reason.startsWith(`restarted after a longer wait, and ${stuck.unit} is deactivating (stop-sigterm), ${ban}`),
        reason,
      );
      assert.equal(property(stuck.unit, 'MainPID'), main);
      assert.deepEqual(knownUnits('monitor_service-app-*'), []);
    });
});
