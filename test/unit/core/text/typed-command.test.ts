import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { printable } from '../../../../src/core/text/printable.ts';
import { shellWord, typedCommand } from '../../../../src/core/text/typed-command.ts';

test('a command is written as it is typed, with its name quoted only if it must be', () => {
  assert.equal(typedCommand('breaker', 'nginx', '--reset'), 'monitor_service breaker nginx --reset');
  assert.equal(typedCommand('breaker', 'web frontend', '--reset'), "monitor_service breaker 'web frontend' --reset");
  assert.equal(typedCommand('breaker', '-x', '--reset'), 'monitor_service breaker --reset -- -x');
  assert.equal(typedCommand('pin', '-my app'), "monitor_service pin -- '-my app'");
  assert.equal(typedCommand('pin', "it's"), "monitor_service pin 'it'\\''s'");
});

test('bash reads the very name, whatever it holds, and a log line shows all of it', () => {
  for (const name of [
    'nginx@1',
    'a b',
    "it's",
    '$(reboot)',
    '`id`',
    'a"b',
    'back\\slash',
    'a;b',
    '~',
    '*',
    '!',
    '#x',
    '',
    'żółw',
    'new\nline',
    'zero\u200bwidth',
    "esc\u001b[2J'\\",
  ]) {
    const word = shellWord(name);
    assert.equal(printable(word), word);
    const read = execFileSync('bash', ['--norc', '-c', `printf %s ${word}`], {
      encoding: 'utf8',
      env: { LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.equal(read, name);
  }
});
