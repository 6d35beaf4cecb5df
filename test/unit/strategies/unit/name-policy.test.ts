import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changesMachine, isOwnUnit, judgeUnitName, serviceName } from '../../../../src/strategies/unit/name-policy.ts';
import type { UnitStatus } from '../../../../src/system/systemd/service-manager.ts';

const kindOf = (name: string, hasOwnSection = true) => judgeUnitName(name, hasOwnSection).kind;

test('a name is completed to NAME.service', () => {
  for (const [name, unit] of [
    ['nginx', 'nginx.service'],
    ['nginx.service', 'nginx.service'],
    ['nginx.conf', 'nginx.conf.service'],
    ['my.app', 'my.app.service'],
    ['my.targets', 'my.targets.service'],
    ['service', 'service.service'],
    ['postgresql@15-main', 'postgresql@15-main.service'],
    ['gettys@tty1.service', 'gettys@tty1.service'],
    ['dev-disk\\x2dby', 'dev-disk\\x2dby.service'],
    ['NetworkManager-dispatcher', 'NetworkManager-dispatcher.service'],
    ['x'.repeat(247), `${'x'.repeat(247)}.service`],
  ] as const) {
    assert.deepEqual(judgeUnitName(name, false), { kind: 'unit', unit }, name);
  }
});

test('what systemd would not accept as one name is not a unit', () => {
  for (const name of [
    '',
    '.service',
    '@.service',
    '@x',
    'x@',
    'x@.service',
    '-Hroot@host',
    '--force',
    '.hidden',
    'nginx*',
    'ngin?',
    'ngin[x]',
    '*',
    'two words',
    'nginx\n',
    'nginx\nreboot',
    '\nnginx',
    'nginx\0',
    'a/b',
    '/usr/sbin/nginx',
    '$(reboot)',
    'a;b',
    '`x`',
    '"x"',
    "'x'",
    'nginх',
    'ｎginx',
    'ngi\u200bnx',
    'nginx ',
    ' nginx',
    'naïve',
    'x'.repeat(248),
    'a,b',
    'a=b',
    'a+b',
    '%s',
    '~',
    'reboot ',
  ]) {
    assert.equal(kindOf(name), 'impossible', JSON.stringify(name));
  }
  const template = judgeUnitName('x@', true);
  assert.match(template.kind === 'unit' ? '' : template.reason, /is a template: it needs an instance/);
});

test('other unit types are refused whatever their name', () => {
  for (const type of ['target', 'socket', 'timer', 'mount', 'automount', 'slice', 'scope', 'swap', 'path', 'device']) {
    assert.deepEqual(judgeUnitName(`docker.${type}`, true), {
      kind: 'refused',
      reason: `"docker.${type}" is a ${type} unit: only services are restarted`,
    });
  }
});

test('what changes the state of the machine is refused, with a section of its own too', () => {
  for (const name of [
    'poweroff',
    'reboot',
    'halt',
    'kexec',
    'exit',
    'shutdown',
    'soft-reboot',
    'suspend',
    'hibernate',
    'hybrid-sleep',
    'suspend-then-hibernate',
    'rescue',
    'emergency',
    'debug-shell',
    'umount',
    'final',
    'default',
    'multi-user',
    'graphical',
    'ctrl-alt-del',
    'initrd-switch-root',
    'initrd-cleanup',
    'runlevel0',
    'runlevel6',
    'systemd-poweroff',
    'systemd-reboot',
    'systemd-halt',
    'systemd-kexec',
    'systemd-exit',
    'systemd-soft-reboot',
    'systemd-suspend',
    'systemd-hibernate',
    'systemd-hybrid-sleep',
    'systemd-suspend-then-hibernate',
    'systemd-hibernate-resume',
    'systemd-sysupdate-reboot',
    'systemd-hibernate-resume@dev-sda',
  ]) {
    for (const spelling of [name, `${name}.service`, `${name}.target`]) {
      assert.equal(kindOf(spelling), 'refused', spelling);
    }
  }
  for (const name of ['rebooter', 'my-reboot', 'haltungsdienst', 'initrdx', 'Reboot', 'default-app', 'sleep']) {
    assert.equal(kindOf(name, false), 'unit', name);
  }
});

test('we ourselves are refused, under every name that is ours', () => {
  for (const name of [
    'monitor_service',
    'monitor_service-run-00ff',
    'monitor_service-app-nginx.service',
    'monitor_service@x',
  ]) {
    assert.equal(kindOf(name), 'refused', name);
  }
  assert.equal(kindOf('monitor_services', false), 'unit');
});

test('the system’s own services need a section of their own', () => {
  for (const name of ['dbus', 'dbus-broker', 'dbus-org.freedesktop.login1', 'systemd-logind', 'systemd-journald.service']) {
    assert.equal(kindOf(name, false), 'refused', name);
    assert.equal(kindOf(name, true), 'unit', name);
  }
});

test('instances of the system’s own templates need a section of their own', () => {
  for (const name of [
    'user@1000',
    'user-runtime-dir@0.service',
    'getty@tty1',
    'serial-getty@ttyS0',
    'container-getty@1',
    'autovt@tty2',
    'modprobe@dummy',
    'systemd-fsck@dev-sda1',
    'ssh@0-10.0.0.1:22-10.0.0.2:4711',
    'e2scrub@root',
    'lvm2-pvscan@8:1',
    'mdadm-last-resort@md0',
    'ifup@eth0',
  ]) {
    assert.equal(kindOf(name, false), 'refused', name);
    assert.equal(kindOf(name, true), 'unit', name);
  }
  for (const name of ['user', 'ssh', 'getty', 'users@1', 'postgresql@15-main', 'mariadb@second', 'ssh-tunnel@host', 'md5@x'])
    assert.equal(kindOf(name, false), 'unit', name);
});

test('an invisible character in a name is reported by its code point', () => {
  for (const [name, code] of [
    ['ngi\u200bnx', 'U+200B'],
    ['nginx\u3164.service', 'U+3164'],
    ['\u{e0041}poweroff', 'U+E0041'],
  ] as const) {
    const judgement = judgeUnitName(name, true);
    assert.ok(judgement.kind === 'impossible' && judgement.reason.includes(`holds ${code}, which is invisible`), name);
    assert.match(judgement.reason, /^"[ -~]+" holds [ -~]+$/);
  }
});

test('what changes the machine is known whatever its type', () => {
  for (const unit of ['reboot.target', 'poweroff.target', 'systemd-halt.service', 'emergency.target', 'rescue.service'])
    assert.equal(changesMachine(unit), true, unit);
  for (const unit of ['notify-admin@x.service', 'my-reboot.service', 'network.target'])
    assert.equal(changesMachine(unit), false, unit);
});

test('whatever comes in: a judged unit is one plain service name, a reason is one printable line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.boolean(), (name, own) => {
      const judgement = judgeUnitName(name, own);
      if (judgement.kind === 'unit') assert.match(judgement.unit, /^[A-Za-z0-9:_\\][A-Za-z0-9:_.\\@-]*\.service$/);
      else assert.doesNotMatch(judgement.reason, /[\u0000-\u001f]/);
    }),
  );
});

test('serviceName takes the suffix off once', () => {
  assert.equal(serviceName('nginx.service'), 'nginx');
  assert.equal(serviceName('nginx'), 'nginx');
  assert.equal(serviceName('a.service.service'), 'a.service');
});

test('the unit that holds our process is ours', () => {
  const status = (mainPid: number, controlGroup: string) => ({ mainPid, controlGroup }) as UnitStatus;
  assert.equal(isOwnUnit(status(42, ''), 42, ''), true);
  assert.equal(isOwnUnit(status(1, '/system.slice/x.service'), 42, '/system.slice/x.service'), true);
  assert.equal(isOwnUnit(status(1, '/user.slice/user@0.service'), 42, '/user.slice/user@0.service/app.slice/m.service'), true);
  assert.equal(isOwnUnit(status(1, '/system.slice/x.service'), 42, '/system.slice/x.service-more'), false);
  assert.equal(isOwnUnit(status(0, ''), 42, ''), false);
  assert.equal(isOwnUnit(status(0, '/'), 42, '/'), false);
});
