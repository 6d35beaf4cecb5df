import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Systemd } from '../../../src/system/systemd/manager.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { define, detecting, property, reasonOf } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. Starts that systemd skips.

const CONDITION = 'ConditionPathExists=/run/no-such-file';
const NOT_MET = `${CONDITION} is not met`;

const TYPES: Readonly<Record<string, readonly string[]>> = {
  oneshot: ['Type=oneshot', 'ExecStart=/bin/true'],
  stays: ['Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/bin/true'],
  simple: ['ExecStart=/bin/sleep 600'],
  exec: ['Type=exec', 'ExecStart=/bin/sleep 600'],
  idle: ['Type=idle', 'ExecStart=/bin/sleep 600'],
  forking: ['Type=forking', 'ExecStart=/bin/sh -c "sleep 600 &"'],
  notify: ['Type=notify', 'NotifyAccess=all', 'ExecStart=/bin/sh -c "systemd-notify --ready; exec sleep 600"'],
};

/** With auto it is the same restart. */
const WITH_AUTO = ['oneshot', 'simple'];

for (const [type, service] of Object.entries(TYPES))
  test(`${type}: healed if it may start; not if systemd skips that, for its condition, its assertion or its ExecCondition=`, async (t) => {
    for (const strategy of WITH_AUTO.includes(type) ? ['service', 'auto'] : ['service']) {
      const name = `odd-${type}-${strategy[0]}`;
      const unit = (line = '', own = '') => ['[Unit]', 'StartLimitIntervalSec=0', line, '[Service]', ...service, own];
      const watch = detecting(t, name, { restart_strategy: strategy }, unit());
      assert.deepEqual(await watch.restart(), { kind: 'restarted', detail: `systemctl start ${name}.service` });
      assert.deepEqual(await watch.health(), { kind: 'healthy' });
      const isUp = type !== 'oneshot';
      const verb = isUp ? 'restart' : 'start';
      assert.deepEqual(await watch.restart(), { kind: 'restarted', detail: `systemctl ${verb} ${name}.service` });
      assert.deepEqual(await watch.health(), { kind: 'healthy' });
      // A change on the fly: what runs is stopped by the restart, and is not started again.
      define(t, `${name}.service`, ...unit(CONDITION));
      const skipped = reasonOf(await watch.restart());
      assert.ok(skipped.startsWith(`systemctl ${verb} ${name}.service: systemd skipped its start: ${NOT_MET}, see `), skipped);
      assert.equal(property(name, 'ActiveState'), 'inactive');
      assert.ok(reasonOf(await watch.restart()).includes(NOT_MET));
      // systemd may have forgotten how the condition was tested: nothing refers to the unit.
      const warning = `${name}\\.service is inactive \\(dead\\): (it is started only if )?${CONDITION}( is not met)?$`;
      assert.match((await watch.preview()).warnings?.join('\n') ?? '', new RegExp(warning));
      define(t, `${name}.service`, ...unit(CONDITION.replace('Condition', 'Assert')));
      assert.match(reasonOf(await watch.restart()), /AssertPathExists=\/run\/no-such-file does not hold|an assertion/);
      define(t, `${name}.service`, ...unit('', 'ExecCondition=/bin/false'));
      const asked = reasonOf(await watch.restart());
      assert.match(asked, /: systemd skipped its start: .*ExecCondition=/);
      assert.deepEqual(watch.alarms, []);
    }
  });

test('a start that systemd skips is reported for units of other types too, and for units that need one that cannot start', async (t) => {
  const systemd = new Systemd();
  const units: Readonly<Record<string, readonly string[]>> = {
    'odd-c.socket': ['[Socket]', 'ListenStream=/run/odd-c.sock', 'Service=odd-c.service'],
    'odd-c.timer': ['[Timer]', 'OnActiveSec=1h', 'Unit=odd-c.service'],
    'odd-c.path': ['[Path]', 'PathExists=/run/no-such-file', 'Unit=odd-c.service'],
    'odd-c.target': [],
    'run-oddc.mount': ['[Mount]', 'What=tmpfs', 'Type=tmpfs', 'Where=/run/oddc'],
  };
  define(t, 'odd-c.service', '[Service]', 'ExecStart=/bin/sleep 600');
  for (const [unit, lines] of Object.entries(units)) {
    define(t, unit, '[Unit]', CONDITION, ...lines);
    for (const verb of ['start', 'restart'] as const)
      assert.ok(
        reasonOf(await systemd.call(verb, unit, 10_000, never)).startsWith(`systemd skipped its start: ${NOT_MET}`),
        unit,
      );
    assert.deepEqual(await systemd.call('stop', unit, 10_000, never), { kind: 'done' });
  }
  define(t, 'odd-base.service', '[Service]', 'Type=oneshot', 'ExecStart=/bin/false');
  const unit = ['[Unit]', 'Requires=odd-base.service', 'After=odd-base.service', '[Service]', 'ExecStart=/bin/sleep 600'];
  const { restart } = detecting(t, 'odd-front', { restart_strategy: 'service' }, unit);
  assert.match(reasonOf(await restart()), /^systemctl start odd-front\.service: a unit that it needs could not be started/);
});
