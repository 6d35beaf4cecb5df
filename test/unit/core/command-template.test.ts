import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagedProcess } from '../../../src/core/alarm.ts';
import { commandEnvironment, expandCommand } from '../../../src/core/command-template.ts';

const named = (systemName: string, systemNameConfigured = false): ManagedProcess => ({
  processId: '1',
  processName: systemName,
  systemName,
  systemNameConfigured,
});

test('%s is the name where that means nothing to a shell', () => {
  for (const name of ['nginx', 'web-1', 'café', '名前', 'e\u0301x', 'a@b:c', 'user_1+2', 'x.service'])
    assert.deepEqual(expandCommand('restart %s; echo %s', named(name)), {
      kind: 'ready',
      line: `restart ${name}; echo ${name}`,
    });
  assert.deepEqual(expandCommand('true', named('$(reboot)')), { kind: 'ready', line: 'true' });
  for (const name of ['a b', '$(x)', '-rf', '.', '/bin/x', 'a;b', ''])
    assert.equal(expandCommand('x %s', named(name)).kind, 'refused');
  assert.equal(expandCommand('x %s', named('/bin/x', true)).kind, 'ready');
});

test('a name that holds what is not seen is refused with its code point, never shortened to another name', () => {
  for (let point = 0; point < 0x110000; point++) {
    const character = String.fromCodePoint(point);
    if (!/[\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(character)) continue;
    const code = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
    for (const configured of [false, true]) {
      for (const name of [`nginx${character}`, `ngi${character}nx`, `${character}nginx`]) {
        const expanded = expandCommand('systemctl restart %s', named(name, configured));
        assert.equal(expanded.kind, 'refused', code);
        assert.ok(expanded.kind === 'refused' && expanded.reason.includes(`holds ${code},`), code);
      }
    }
  }
  assert.deepEqual(expandCommand('restart %s', named('nginx\u3164')), {
    kind: 'refused',
    reason:
      'the name "nginx\\u3164" cannot stand for %s in a command (it holds U+3164, which is not seen): set system_name, or use "$MONITOR_PROCESS_NAME" instead of %s',
  });
  // A variable is data: there it is that very name.
  assert.equal(commandEnvironment(named('nginx\u3164'), 1).MONITOR_PROCESS_NAME, 'nginx\u3164');
});
