import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagedProcess } from '../../../src/core/alarm.ts';
import { commandEnvironment, expandCommand, previewCommand } from '../../../src/core/command-template.ts';

const named = (systemName: string, systemNameConfigured = false): ManagedProcess => ({
  processId: '1',
  processName: systemName,
  systemName,
  systemNameConfigured,
});

test('%s is the name if that means nothing to a shell', () => {
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

test('a name that holds an invisible character is refused with its code point, never shortened to another name', () => {
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
      'the name "nginx\\u3164" cannot stand for %s in a command (it holds U+3164, which is invisible): set system_name, or use "$MONITOR_PROCESS_NAME" instead of %s',
  });
  // In single quotes it would not become the name.
  for (const template of ["pkill -f '%s'", `kill "$(pgrep -f '^%s$')"`, "pgrep %s; awk '/%s/' f"]) {
    const expanded = expandCommand(template, named('nginx\u3164'));
    assert.match(expanded.kind === 'refused' ? expanded.reason : '', /: set system_name$/, template);
  }
  // A variable is data: there it is that very name.
  assert.equal(commandEnvironment(named('nginx\u3164'), 1).MONITOR_PROCESS_NAME, 'nginx\u3164');
});

test('%%s is the text %s, and every other %% stays', () => {
  for (const [template, line] of [
    ['date +%%s', 'date +%s'],
    ['date +%%s; restart %s', 'date +%s; restart nginx'],
    ['%s%%s%s', 'nginx%snginx'],
    ['%%s%%s', '%s%s'],
    ['%%%s', '%%s'],
    ['%%%%s', '%%%s'],
    ['%%%s %%s %s', '%%s %s nginx'],
    ['%%ss', '%ss'],
    [`echo \${f%%.*} \${f%.*}`, `echo \${f%%.*} \${f%.*}`],
    [`\${f%%s*}`, `\${f%s*}`],
    [`\${f%%%s*}`, `\${f%%s*}`],
    ['date +%%Y %% 100%', 'date +%%Y %% 100%'],
    ['% s %S %%S', '% s %S %%S'],
    ['a%', 'a%'],
    ['%%', '%%'],
    ['', ''],
  ] as const)
    assert.deepEqual(expandCommand(template, named('nginx')), { kind: 'ready', line }, template);
});

test('a command in which no %s stands for the name needs none', () => {
  for (const name of ['a b', '$(x)', 'nginx\u3164', '']) {
    assert.deepEqual(expandCommand('date +%%s >> /x', named(name)), { kind: 'ready', line: 'date +%s >> /x' });
    assert.deepEqual(expandCommand('echo %%%s %%', named(name)), { kind: 'ready', line: 'echo %%s %%' });
    assert.equal(expandCommand('echo %%s %s', named(name)).kind, 'refused');
  }
});

test('a name is put in as it is, whatever it means to a replacement', () => {
  assert.deepEqual(expandCommand('x %s', named('a@b=,+:')), { kind: 'ready', line: 'x a@b=,+:' });
  assert.deepEqual(expandCommand('%%s%s', named('s')), { kind: 'ready', line: '%ss' });
});

test('letters have their combining marks, and nothing else has', () => {
  for (const name of ['e\u0301x', 'हिन्दी', 'ภาษาไทย', 'Tiếng', '1\u0301', 'a\u0301\u0302'])
    assert.equal(expandCommand('%s', named(name)).kind, 'ready', name);
  for (const name of ['\u0301x', '=\u0338x', 'a.\u0301', 'a-\u0301', '_\u0301', '/\u0301', 'a b\u0301'])
    assert.equal(expandCommand('%s', named(name, true)).kind, 'refused', name);
});

test('a command is shown as it will run, with what stands for %s', () => {
  assert.deepEqual(previewCommand('stop_command', 'kill %s; date +%%s', named('app'), 60_000, 'root'), {
    commands: [{ key: 'stop_command', line: 'kill app; date +%s', name: 'app', limitMs: 60_000, user: 'root' }],
    refusals: [],
  });
  assert.deepEqual(previewCommand('start_command', 'date +%%s', named('a b'), null), {
    commands: [{ key: 'start_command', line: 'date +%s', name: null, limitMs: null, user: null }],
    refusals: [],
  });
  const refused = previewCommand('stop_command', 'kill %s', named('a b'), 1);
  assert.deepEqual(refused.commands, []);
  assert.match(refused.refusals.join(), /^stop_command: the name "a b" cannot stand for %s/);
});
