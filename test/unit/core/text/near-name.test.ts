import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearName } from '../../../../src/core/text/near-name.ts';

test('a name that differs by blanks or letter case alone is near; the name itself, and another one, are not', () => {
  const sections = ['nginx', 'App Backend', 'șarpe'];
  for (const [name, near] of [
    ['Nginx', 'nginx'],
    [' nginx ', 'nginx'],
    ['ngin x', 'nginx'],
    ['nginx\u00a0', 'nginx'],
    ['appbackend', 'App Backend'],
    ['s\u0326arpe', 'șarpe'],
    ['nginx', undefined],
    ['nginy', undefined],
    ['', undefined],
  ] as const)
    assert.equal(nearName(name, sections), near, JSON.stringify(name));
  assert.equal(nearName('Nginx', ['nginx', 'Nginx']), undefined, 'it has a section of its own');
  assert.equal(nearName('NGINX', ['nginx', 'Nginx']), 'nginx', 'the first in the file');
});
