import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { parseHost } from '../../../src/config/parse-host.ts';
import { formatProblem } from '../../../src/core/errors.ts';

function read(text: string, ownName?: string): { host: ReturnType<typeof parseHost>; problems: string[] } {
  const document = loadConfigText('f', text);
  const host = parseHost(document.section('host'), ...(ownName === undefined ? [] : [ownName]));
  return { host, problems: document.problems.map((problem) => formatProblem('f', problem)) };
}

test('without [host] it has the hostname and no id', () => {
  assert.deepEqual(read(''), { host: { name: hostname(), hostId: undefined }, problems: [] });
  assert.deepEqual(read('[host]\nname =\nhost_id =\n', 'db\u200b1\u001b').host, { name: 'db1?', hostId: undefined });
  assert.equal(read('', '').host.name, 'localhost');
});

test('an id is any text', () => {
  for (const id of ['1', '007', '18446744073709551615', 'all', 'rack 3 / 名前', '-5', 'é'.repeat(127)])
    assert.deepEqual(read(`[host]\nname = web 1\nhost_id = ${id}  # ours\n`), {
      host: { name: 'web 1', hostId: id },
      problems: [],
    });
});

test('what is not seen, or too long, is refused', () => {
  const { host, problems } = read(`[host]\nname = db\u200b1\nhost_id = ${'é'.repeat(128)}\n`, 'vm');
  assert.deepEqual(host, { name: 'vm', hostId: undefined });
  const expected = 'expected at most 255 bytes without control or invisible characters';
  assert.deepEqual(problems, [
    `f:2: [host] name: invalid value "db\\u200b1", ${expected}`,
    `f:3: [host] host_id: invalid value (256 bytes), ${expected}`,
  ]);
  assert.equal(read('[host]\nhost_id = 1\u009b2\n').problems.length, 1);
});
