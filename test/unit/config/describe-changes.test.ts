import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { describeChanges } from '../../../src/config/describe-changes.ts';
import { readWhole } from './whole-config.ts';

function changes(before: string, after: string): string[] {
  const [old, now] = [loadConfigText('f', before), loadConfigText('f', after)];
  readWhole(old);
  readWhole(now);
  return describeChanges(old, now);
}

it('describeChanges names what changed, and nothing else', () => {
  const before =
    '[monitor]\ncheck_interval = 300 # c\nmode = act\n[process.old]\n[process.a]\npriority = 1\n[logging]\nlevel = info\n';
  const after =
    '[logging]\nlevel = "info" ; same\n[monitor]\nmode = act\ncheck_interval = 60\n[process.a]\nmax_attempts = 3\n[process.new]\nx = y\n';
  assert.deepEqual(changes(before, after), [
    '[monitor] check_interval: 300 -> 60',
    '[process.old]: section removed',
    '[process.a] priority: 1 -> (not set)',
    '[process.a] max_attempts: (not set) -> 3',
    '[process.new]: section added',
  ]);
  assert.deepEqual(changes(before, before), []);
});

it('describeChanges never shows a secret', () => {
  const text = (secret: string): string =>
    `[database]\npassword = ${secret}\npasswort = ${secret}\n[process.a]\nrestart_command = mysql -p${secret}\nhealth_check_url = http://u:${secret}@h/?t=${secret}\n`;
  const lines = changes(text('hunter2'), text('swordfish'));
  assert.deepEqual(lines, [
    '[database] password: changed',
    '[process.a] restart_command: changed',
    '[process.a] health_check_url: changed',
  ]);
  assert.deepEqual(changes('[database]\n', '[database]\npassword = hunter2\n'), ['[database] password: set']);
  assert.deepEqual(changes('[database]\npassword = hunter2\n', '[database]\n'), ['[database] password: removed']);
});

it('describeChanges is fit for a log', () => {
  const lines = changes('[monitor]\n', `[monitor]\nmode = \u202e${'x'.repeat(1000)}\n${'[process.a]\n'}`);
  assert.equal(lines[0], `[monitor] mode: (not set) -> \\u202e${'x'.repeat(54)}…`);
  const many = Array.from({ length: 500 }, (_, i) => `[process.p${i}]\n`).join('');
  assert.equal(changes('', many).length, 100);
  assert.equal(changes('', many).at(-1), 'and 401 more changes');
});
