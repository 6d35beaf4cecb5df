import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { appUnit } from '../../../src/system/systemd/unit/name.ts';
import { survives } from '../../helpers/caught-signals.ts';
import { attemptOn, managed } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { detecting, systemctl } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

test('systemctl stop and restart raise nothing; a unit that fails raises its alarm', async (t) => {
  const unit = ['[Service]', 'ExecStart=/bin/sh -c "trap \\"exit 0\\" TERM; sleep 600 & wait"', 'KillMode=mixed'];
  const { exits, alarms, next, said } = detecting(t, 'exit-unit', { restart_strategy: 'service' }, unit);
  systemctl('start', 'exit-unit');
  const first = await next();
  systemctl('restart', 'exit-unit');
  const second = await next();
  assert.notEqual(second, first);
  systemctl('stop', 'exit-unit');
  await waitFor('the stop is told of', () => exits.length === 2);
  assert.deepEqual([exits, alarms], [[true, true], []]);
  const why = '(exit-unit\\.service was stopped|it was started again)';
  assert.match(said(), new RegExp(`Process exited: exit-unit: .* \\(pid ${first}, .*\\); no alarm: ${why}$`, 'm'));
  assert.match(said(), new RegExp(`\\(pid ${second}, .*\\); no alarm: exit-unit\\.service was stopped$`, 'm'));
  systemctl('start', 'exit-unit');
  const third = await next();
  process.kill(third, 'SIGKILL');
  await waitFor('an alarm', () => alarms.length === 1);
  assert.match(alarms[0] ?? '', new RegExp(`^signal SIGKILL \\(pid ${third}, `));
  assert.deepEqual(exits, [true, true, false]);
});

test('a program that reports the stop of its unit as a failure raises no alarm; its own end does', async (t) => {
  const program = 'ExecStart=/bin/sh -c "trap \\"exit 143\\" TERM; sleep 600 & wait"';
  const unit = ['[Unit]', 'StartLimitIntervalSec=0', '[Service]', program, 'KillMode=mixed', 'ExecStopPost=/bin/sleep 0.02'];
  const { exits, alarms, next } = detecting(t, 'exit-rude', { restart_strategy: 'service' }, unit);
  systemctl('start', 'exit-rude');
  for (const verb of ['restart', 'restart', 'restart', 'stop']) {
    await next();
    systemctl(verb, 'exit-rude');
  }
  await waitFor('the stop is told of', () => exits.length === 4);
  assert.deepEqual([exits.includes(false), alarms], [false, []]);
  systemctl('start', 'exit-rude');
  const last = await next();
  await survives(last, 'SIGTERM');
  process.kill(last, 'SIGTERM');
  await waitFor('an alarm', () => alarms.length === 1);
  assert.match(alarms[0] ?? '', /^exit code 143 /);
});

test('what systemd restarts itself raises nothing before it has given up', async (t) => {
  const unit = ['[Unit]', 'StartLimitBurst=2', '[Service]', 'ExecStart=/bin/sleep 600', 'Restart=always', 'RestartSec=300ms'];
  const { exits, alarms, next, said } = detecting(t, 'exit-again', { restart_strategy: 'service' }, unit);
  systemctl('start', 'exit-again');
  process.kill(await next(), 'SIGKILL');
  const second = await next();
  assert.deepEqual([exits, alarms], [[true], []]);
  // Whichever is noticed first: that systemd waits to start it, or its successor.
  assert.match(said(), /; no alarm: (systemd starts exit-again\.service again|it was started again)$/m);
  process.kill(second, 'SIGKILL');
  await waitFor('an alarm', () => alarms.length === 1);
  assert.match(alarms[0] ?? '', /^signal SIGKILL /);
});

test('a program that was started in one of our units: its death raises an alarm, its unit’s stop does not', async (t) => {
  const section = { restart_strategy: 'process', start_command: 'exec -a exit-app sleep 600' };
  const { strategy, exits, alarms, next } = detecting(t, 'exit-app', section);
  assert.equal((await strategy.restart(attemptOn(managed('exit-app')))).kind, 'restarted');
  const first = await next();
  assert.ok(readFileSync(`/proc/${first}/cgroup`, 'utf8').includes(appUnit('exit-app')));
  process.kill(first, 'SIGKILL');
  await waitFor('an alarm', () => alarms.length === 1);
  // That the unit failed stands in the way of nobody.
  assert.equal((await strategy.restart(attemptOn(managed('exit-app')))).kind, 'restarted');
  await next();
  systemctl('stop', appUnit('exit-app'));
  await waitFor('the stop is told of', () => exits.length === 2);
  assert.deepEqual([exits, alarms.length], [[false, true], 1]);
});

test('auto watches the unit if there is one, custom the program of that name', async (t) => {
  const unit = ['[Service]', 'ExecStart=/bin/sleep 600'];
  const auto = detecting(t, 'exit-auto', {}, unit);
  systemctl('start', 'exit-auto');
  process.kill(await auto.next(), 'SIGSEGV');
  await waitFor('an alarm', () => auto.alarms.length === 1);
  const custom = detecting(t, 'exit-custom', { restart_strategy: 'custom', restart_command: 'true' });
  execFileSync('/bin/bash', ['-c', 'exec -a exit-custom sleep 600 >/dev/null 2>&1 & disown']);
  process.kill(await custom.next(), 'SIGKILL');
  await waitFor('an alarm', () => custom.alarms.length === 1);
});
