import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readIni } from '../../../src/config/read-ini.ts';

/** section → key → raw value. */
function rawOf(text: string): Record<string, Record<string, string>> {
  const sections = [...readIni(text).sections.values()];
  return Object.fromEntries(
    sections.map(({ name, entries }) => [name, Object.fromEntries([...entries].map(([key, { raw }]) => [key, raw]))]),
  );
}

describe('readIni', () => {
  it('leaves values alone that the package ini would change', () => {
    const values = ['a; b', 'a # b', 'true', 'null', '"quoted"', "'x'", 'a\\;b', '[1,2]', '{"a":1}', 'a=b=c', '\\', '=', '[x]'];
    for (const value of values) assert.deepEqual(rawOf(`[s]\nkey=${value}`), { s: { key: value } });
  });

  it('takes every name for a plain name', () => {
    const names = [
      'a.b.c',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      't0',
      's0',
      'k[]',
      'a\\.b',
      '0',
      'true',
      '"q"',
    ];
    for (const name of names) {
      const { sections, problems } = readIni(`[${name}]\n${name} = 1\n[other]\nx = 2`);
      assert.deepEqual(problems, []);
      assert.deepEqual([...sections.keys()], [name, 'other']);
      assert.equal(sections.get(name)?.entries.get(name)?.raw, ' 1');
      assert.equal(sections.get(name)?.entries.size, 1);
    }
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });

  it('keeps the lines and the order of the file', () => {
    const { sections } = readIni('\n; c\n[b]\ny = 1\n2 = z\n\n[1]\nx = 2\n');
    assert.deepEqual([...sections.keys()], ['b', '1']);
    assert.deepEqual(
      [...(sections.get('b')?.entries ?? [])],
      [
        ['y', { raw: ' 1', line: 4 }],
        ['2', { raw: ' z', line: 5 }],
      ],
    );
    assert.equal(sections.get('1')?.line, 7);
  });

  it('joins a repeated section and takes the last of a repeated key, with a warning each', () => {
    const { sections, problems } = readIni('[a]\nx = 1\n[b]\n[a]\nx = 2\ny = 3\n');
    assert.deepEqual(
      [...(sections.get('a')?.entries.values() ?? [])],
      [
        { raw: ' 2', line: 5 },
        { raw: ' 3', line: 6 },
      ],
    );
    assert.deepEqual(
      problems.map(({ severity, line, key }) => [severity, line, key]),
      [
        ['warning', 4, ''],
        ['warning', 5, 'x'],
      ],
    );
  });

  it('reads a header with brackets in its name and a comment behind it', () => {
    const headers = {
      '[a[1]]': 'a[1]',
      '[a] ; see [b]': 'a',
      '[a]#x': 'a',
      '  [ a ]  ': 'a',
      '[process.a ;b#c]': 'process.a ;b#c',
      '[process.a] b]': 'process.a] b',
      '[process. a ]': 'process. a ',
    };
    for (const [header, name] of Object.entries(headers)) assert.deepEqual([...readIni(header).sections.keys()], [name]);
  });

  it('attributes nothing to a section whose header cannot be read', () => {
    const { sections, problems } = readIni('[a]\nx = 1\n[process.b\nx = 2\nrubbish = \n[c]\ny = 3');
    assert.deepEqual([...sections.keys()], ['a', 'c']);
    assert.equal(sections.get('a')?.entries.get('x')?.raw, ' 1');
    assert.deepEqual(
      problems.map(({ line }) => line),
      [3],
    );
  });

  it('gives up on what is not a configuration file', () => {
    const { problems } = readIni('some line of a log\n'.repeat(60_000));
    assert.equal(problems.length, 101);
  });

  it('never quotes a line that it cannot read', () => {
    assert.doesNotMatch(JSON.stringify(readIni('[database]\nhunter2\n=hunter2\n[hunter2\n').problems), /hunter2/);
  });

  it('takes time linear in the text', () => {
    const size = 1_000_000;
    const texts = [
      '[a]\n'.repeat(size / 4),
      `[${']'.repeat(60_000)}x`,
      `[${'] '.repeat(30_000)}x`,
      `[a]\nb =${' '.repeat(60_000)}x\n`.repeat(15),
      '='.repeat(size),
      Array.from({ length: 80_000 }, (_, i) => `[process.${i}]`).join('\n'),
      `[a]\n${Array.from({ length: 100_000 }, (_, i) => `k${i}=1`).join('\n')}`,
    ];
    const before = process.cpuUsage();
    for (const text of texts) readIni(text);
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 15e6, `${user + system} µs`);
  });
});
