import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { waitFor } from '../../helpers/wait-for.ts';
import { detecting, property, systemctl } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. What systemd calls a success, and is none.

const SERVICE = { restart_strategy: 'service' };

/**
 * A unit without a main process, or that outlives it (`hasMain`: it may be seen before it ends, which is told too): killed it is an alarm,
 * stopped it is none.
 */
async function checkKillAndStop(t: TestContext, name: string, unit: readonly string[], hasMain = false): Promise<void> {
  const { exits, alarms, next, hears } = detecting(t, name, SERVICE, ['[Service]', ...unit]);
  systemctl('start', name);
  await next();
  await hears();
  systemctl('stop', name);
  await waitFor('the stop is told of', () => exits.length > 0);
  systemctl('start', name);
  await next();
  systemctl('restart', name);
  await next();
  assert.deepEqual([exits.includes(false), alarms], [false, []]);
  assert.ok(hasMain ? exits.length >= 2 : exits.length === 2, `stopped and restarted: ${exits.length}`);
  execFileSync('systemctl', ['kill', '-s', 'KILL', name]);
  await waitFor('an alarm', () => alarms.length === 1);
  assert.match(alarms[0] ?? '', /^signal SIGKILL \(pid \d+, up [^,]*, [^)]*\)$/);
  assert.deepEqual([exits.filter((expected) => !expected).length, property(`${name}.service`, 'Result')], [1, 'success']);
}

const TWO = 'ExecStart=/bin/sh -c "sleep 600 & sleep 601 & exit 0"';

test('a unit of two processes and no main one that are killed: an alarm; stopped and restarted: none', async (t) => {
  await checkKillAndStop(t, 'ends-two', ['Type=forking', TWO]);
});

test('a unit that outlives its main process', async (t) => {
  await checkKillAndStop(t, 'ends-group', ['ExitType=cgroup', 'ExecStart=/bin/sh -c "sleep 600 & exit 0"'], true);
});

test('what ends at the end of its RuntimeMaxSec= has failed; what ends well by itself was stopped, as ever', async (t) => {
  const limited = detecting(t, 'ends-limit', SERVICE, ['[Service]', 'ExecStart=/bin/sleep 600', 'RuntimeMaxSec=1']);
  const clean = detecting(t, 'ends-clean', SERVICE, ['[Service]', 'ExecStart=/bin/sleep 600']);
  systemctl('start', 'ends-limit', 'ends-clean');
  await clean.next();
  await limited.next();
  await limited.hears();
  await waitFor('an alarm', () => limited.alarms.length === 1);
  assert.equal(property('ends-limit.service', 'Result'), 'timeout');
  assert.match(limited.alarms[0] ?? '', /^signal SIGTERM /);
  execFileSync('systemctl', ['kill', 'ends-clean']);
  await waitFor('its end is told of', () => clean.exits.length === 1);
  assert.deepEqual([clean.exits, clean.alarms], [[true], []]);
});

const BOUND = ['[Unit]', 'BindsTo=ends-base.service', 'After=ends-base.service', '[Service]', 'ExecStart=/bin/sleep 600'];

test('a unit that systemd stops with one that died raises an alarm, with one that was stopped it does not', async (t) => {
  const base = detecting(t, 'ends-base', SERVICE, ['[Service]', 'ExecStart=/bin/sleep 600']);
  const bound = detecting(t, 'ends-bound', SERVICE, BOUND);
  systemctl('start', 'ends-bound');
  const pid = await base.next();
  await bound.next();
  await Promise.all([base.hears(), bound.hears()]);
  systemctl('stop', 'ends-base');
  await waitFor('both stops are told of', () => base.exits.length + bound.exits.length === 2);
  assert.deepEqual([base.exits, bound.exits, base.alarms, bound.alarms], [[true], [true], [], []]);

  systemctl('start', 'ends-bound');
  assert.notEqual(await base.next(), pid);
  await bound.next();
  systemctl('restart', 'ends-base');
  await bound.next();
  process.kill(await base.next(), 'SIGKILL');
  await waitFor('both alarms', () => base.alarms.length + bound.alarms.length === 2);
  assert.match(bound.alarms[0] ?? '', /^signal SIGTERM \(.*\); systemd stopped it with ends-base.service$/);
  assert.match(base.alarms[0] ?? '', /^signal SIGKILL \([^)]*\)$/);

  systemctl('start', 'ends-bound');
  await bound.next();
  systemctl('stop', 'ends-bound');
  await waitFor('its stop is told of', () => bound.exits.length === 4);
  assert.deepEqual([bound.exits, bound.alarms.length], [[true, true, false, true], 1]);
});

test('a unit that goes down with another, which is restarted and fails', async (t) => {
  const flag = '/run/ends-flag';
  const service = ['[Service]', 'Type=exec', `ExecStartPre=/bin/sh -c "! test -e ${flag}"`, 'ExecStart=/bin/sleep 600'];
  const whole = detecting(t, 'ends-whole', SERVICE, service);
  const unit = ['[Unit]', 'PartOf=ends-whole.service', 'Requires=ends-whole.service', 'After=ends-whole.service'];
  let recovering = '';
  const isUnitRecovering = (one: string): boolean => one === recovering;
  const sleeps = [...unit, '[Service]', 'ExecStart=/bin/sleep 600'];
  const part = detecting(t, 'ends-part', SERVICE, sleeps, undefined, { isUnitRecovering });
  systemctl('start', 'ends-part');
  await whole.next();
  await part.next();
  execFileSync('touch', [flag]);
  t.after(() => execFileSync('rm', ['-f', flag]));
  assert.throws(() => systemctl('restart', 'ends-whole'));
  await waitFor('an alarm', () => part.alarms.length === 1);
  assert.match(part.alarms[0] ?? '', /; systemd stopped it with ends-whole.service$/);

  execFileSync('rm', [flag]);
  systemctl('start', 'ends-part');
  await part.next();
  execFileSync('touch', [flag]);
  recovering = 'ends-whole.service';
  assert.throws(() => systemctl('restart', 'ends-whole'));
  await waitFor('its end', () => property('ends-whole.service', 'ActiveState') === 'failed');
  assert.deepEqual([part.alarms.length, part.exits.length], [1, 1], 'our recovery may bring it back');
  recovering = '';
  await waitFor('another alarm', () => part.alarms.length === 2);
  assert.match(part.alarms[1] ?? '', /; systemd stopped it with ends-whole.service$/);
});

test('a unit that goes down with another, which systemd restarts itself', async (t) => {
  const service = ['[Service]', 'ExecStart=/bin/sleep 600', 'Restart=always', 'RestartSec=1'];
  const base = detecting(t, 'ends-again', SERVICE, service);
  const unit = ['[Unit]', 'BindsTo=ends-again.service', 'After=ends-again.service', '[Service]', 'ExecStart=/bin/sleep 600'];
  const bound = detecting(t, 'ends-along', SERVICE, unit);
  systemctl('start', 'ends-along');
  const pid = await base.next();
  await bound.next();
  await Promise.all([base.hears(), bound.hears()]);
  process.kill(pid, 'SIGKILL');
  await waitFor('an alarm', () => bound.alarms.length === 1);
  assert.match(bound.alarms[0] ?? '', /^signal SIGTERM \(.*\); systemd stopped it with ends-again.service$/);
  assert.deepEqual(base.alarms, []);
});

test('a main process that dies while its reload hangs is an alarm, and a restart heals it', async (t) => {
  const unit = ['[Service]', 'ExecStart=/bin/sleep 600', 'ExecReload=/bin/sleep 5000', 'TimeoutStartSec=infinity'];
  const { alarms, next, running, restart } = detecting(t, 'ends-reload', SERVICE, unit);
  systemctl('start', 'ends-reload');
  const first = await next();
  systemctl('reload', '--no-block', 'ends-reload');
  await waitFor('the reload', () => property('ends-reload.service', 'SubState') === 'reload');
  process.kill(first, 'SIGKILL');
  await waitFor('an alarm', () => alarms.length === 1);
  assert.equal(property('ends-reload.service', 'ActiveState'), 'reloading');
  assert.match(alarms[0] ?? '', /^signal SIGKILL \(.*\); ends-reload.service is reloading without it$/);
  const found = await running();
  assert.deepEqual(found.kind === 'found' && found.processes, []);
  assert.equal((await restart()).kind, 'restarted');
  assert.notEqual(await next(), first);
});

test('each crash that systemd heals is counted, and an operator’s restart is not', async (t) => {
  const unit = [
    '[Unit]',
    'StartLimitIntervalSec=0',
    '[Service]',
    'ExecStart=/bin/sleep 600',
    'Restart=always',
    'RestartSec=500ms',
  ];
  const { unasked, exits, runs, alarms, next } = detecting(t, 'ends-loop', SERVICE, unit);
  systemctl('start', 'ends-loop');
  let pid = await next();
  for (let round = 0; round < 3; round++) {
    process.kill(pid, 'SIGKILL');
    await waitFor('its end is told of', () => exits.length === round + 1);
    const now = runs();
    assert(now !== null && typeof now === 'object' && now.kind === 'ended', JSON.stringify(now));
    pid = await next();
  }
  systemctl('restart', 'ends-loop');
  await next();
  assert.deepEqual([unasked, exits.includes(false), alarms], [[true, true, true, false], false, []]);
});

test('a unit that ends before anybody can see it, again and again, is down and counted', async (t) => {
  const flag = '/run/ends-whole';
  const program = `ExecStart=/bin/sh -c "test -e ${flag} && exit 3; exec sleep 600"`;
  const unit = ['[Unit]', 'StartLimitIntervalSec=0', '[Service]', program, 'Restart=always', 'RestartSec=500ms'];
  const { unasked, runs, alarms, next } = detecting(t, 'ends-fast', SERVICE, unit);
  systemctl('start', 'ends-fast');
  await next();
  execFileSync('touch', [flag]);
  t.after(() => execFileSync('rm', ['-f', flag]));
  process.kill(Number(property('ends-fast.service', 'MainPID')), 'SIGKILL');
  for (let count = 1; count <= 4; count++) {
    await waitFor('one more', () => unasked.length >= count);
    const now = runs();
    assert(now !== null && typeof now === 'object' && now.kind === 'ended', JSON.stringify(now));
  }
  assert.deepEqual([unasked.includes(false), alarms], [false, []]);
});

test('a stop while systemd waits to start it again is a stop; so is one after systemd re-executed itself', async (t) => {
  const unit = ['[Service]', 'ExecStart=/bin/sleep 600', 'Restart=always', 'RestartSec=600s'];
  const waiting = detecting(t, 'ends-wait', SERVICE, unit);
  systemctl('start', 'ends-wait');
  process.kill(await waiting.next(), 'SIGKILL');
  await waitFor('it waits', () => waiting.unasked.length === 1);
  systemctl('stop', 'ends-wait');
  await waitFor('that is told of', () => waiting.exits.length === 2 || waiting.runs() === false);
  assert.deepEqual(waiting.alarms, []);

  const anew = detecting(t, 'ends-anew', SERVICE, ['[Service]', 'Type=forking', TWO]);
  systemctl('start', 'ends-anew');
  await anew.next();
  systemctl('daemon-reexec');
  systemctl('restart', 'ends-anew');
  await anew.next();
  await anew.hears();
  systemctl('restart', 'ends-anew');
  await anew.next();
  assert.deepEqual([anew.exits, anew.alarms], [[true, true], []]);
  execFileSync('systemctl', ['kill', '-s', 'KILL', 'ends-anew']);
  await waitFor('an alarm', () => anew.alarms.length === 1);
});
