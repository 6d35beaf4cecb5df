import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSharedNames } from '../../../src/config/check-shared-names.ts';
import { loadConfigText } from '../../../src/config/config-file.ts';

function problems(text: string): string[] {
  const document = loadConfigText('f', text);
  checkSharedNames(document);
  return document.finish().map(({ section, key, problem }) => `${section} ${key}: ${problem}`);
}

test('two sections of one system_name that differ in argument or pid_file are refused', () => {
  const shared = (one: string, other: string): string =>
    `[process.a]\nsystem_name = python3\n${one}\n[process.b]\nsystem_name = python3\n${other}\n`;
  for (const [one, other] of [
    ['argument = /a.py', 'argument = /b.py'],
    ['pid_file = /run/a', 'pid_file = /run/b'],
    ['argument = /a.py', ''],
  ] as const) {
    const [problem, ...more] = problems(shared(one, other));
    assert.match(problem ?? '', /^process\.b system_name: python3 is also the name of \[process\.a\], .*remove system_name/);
    assert.deepEqual(more, []);
  }
  assert.match(problems('[process.a]\n[process.b]\nsystem_name = a\nargument = x\n').join(), /^process\.b system_name: a is/);
});

test('sections that mean the same, and those without a system_name, are not', () => {
  for (const text of [
    '[process.a]\nsystem_name = nginx\n[process.b]\nsystem_name = nginx\n',
    '[process.a]\nargument = /a.py\n[process.b]\nargument = /b.py\n',
    '[process.a]\nsystem_name = x\nargument = y\n[process.b]\nsystem_name = x\nargument = y\n',
  ])
    assert.deepEqual(problems(text), []);
});
