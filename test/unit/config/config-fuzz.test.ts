import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { describeChanges } from '../../../src/config/describe-changes.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { fixture, fixtures, readWhole } from './whole-config.ts';

const FILES = 10_000;
const SEED = Number(process.env.FUZZ_SEED ?? 1);

it(`${FILES} mutated configuration files are read or refused, each in bounded time (seed ${SEED})`, () => {
  const corpus = ['good', 'bad'].flatMap((folder) =>
    readdirSync(join(fixtures, folder))
      .filter((name) => name.endsWith('.ini'))
      .map((name) => fixture(`${folder}/${name}`)),
  );
  corpus.push(readFileSync(join(import.meta.dirname, '../../../config.ini'), 'utf8'));
  const random = generator(SEED);
  const count = { read: 0, refused: 0 };
  let previous = loadConfigText('previous.ini', '');
  for (let i = 0; i < FILES; i++) {
    const text = mutate(pick(corpus, random), corpus, random);
    const start = performance.now();
    const document = loadConfigText('config.ini', text);
    try {
      readWhole(document);
      document.finish();
      count.read++;
    } catch (error) {
      assert.ok(error instanceof ConfigError, `file ${i}: ${String(error)}\n${JSON.stringify(text)}`);
      assert.match(error.message, /^config\.ini:/);
      assert.doesNotMatch(error.message, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|^\s*at |undefined|\[object/m);
      count.refused++;
    }
    describeChanges(previous, document);
    previous = document;
    assert.ok(performance.now() - start < 5_000, `file ${i} took too long\n${JSON.stringify(text)}`);
  }
  assert.ok(count.read > FILES / 100 && count.refused > FILES / 10, JSON.stringify(count));
});

/** What may stand in one line: anything but control characters. */
const lineText = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\u0000-\u001f\u007f]/g, ''));

it('any command, password, quoted value and process name is read as it was written', () => {
  fc.assert(
    fc.property(lineText, lineText, lineText, lineText, (name, command, password, body) => {
      fc.pre(/^[^\s\][;#]/.test(name) && !/[\]]/.test(name) && name !== 'default');
      const quoted = body.replaceAll('"', '');
      const text = `[process.${name}]\nrestart_command = ${command}\nsmtp_password = "${password}"\nhealth_check_body = "${quoted}" # c\n`;
      const document = loadConfigText('f', text);
      assert.deepEqual(document.processNames(), [name]);
      const section = document.processSection(name);
      const expected = command.trimStart();
      assert.equal(section.verbatim('restart_command'), expected.startsWith('#') ? undefined : expected || undefined);
      assert.equal(section.verbatim('smtp_password'), password);
      assert.equal(section.text('health_check_body'), quoted || undefined);
      assert.equal(document.problems.filter(({ severity }) => severity === 'error').length, 0);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

type Random = () => number;

const PIECES = [
  '[',
  ']',
  '=',
  ';',
  '#',
  '"',
  "'",
  '\\',
  '\r',
  '\r\n',
  '\n',
  '\0',
  '\u001b[2J',
  '\ufeff',
  '\u202e',
  '\u2028',
  '.',
  ',',
  ' ',
  '\t',
  '%s',
  '[process.',
  '[process.default]\n',
  '[]',
  '__proto__',
  '[__proto__]\n',
  '[process.__proto__]\n',
  'constructor = 1\n',
  'key[] = 1\n',
  'true',
  'null',
  'NaN',
  '1e999',
  '-1',
  '0x10',
  '99999999999999999999',
  '$(id)',
  '`id`',
  '😀',
  '\ud800',
  'depends_on = a, b, c\n',
];

function mutate(original: string, corpus: readonly string[], random: Random): string {
  let text = original;
  const mutations = 1 + Math.floor(random() * 8);
  for (let i = 0; i < mutations; i++) {
    const at = Math.floor(random() * (text.length + 1));
    const to = Math.min(text.length, at + Math.floor(random() ** 3 * 60));
    switch (Math.floor(random() * 7)) {
      case 0:
        text = text.slice(0, at) + text.slice(to);
        break;
      case 1:
        text = text.slice(0, at) + pick(PIECES, random) + text.slice(to);
        break;
      case 2:
        text = text.slice(0, at) + text.slice(at, to).repeat(1 + Math.floor(random() * 20)) + text.slice(to);
        break;
      case 3:
        text = text.slice(0, at) + String.fromCharCode(Math.floor(random() * 0x300)) + text.slice(at + 1);
        break;
      case 4: {
        const lines = text.split('\n');
        const [line = ''] = lines.splice(Math.floor(random() * lines.length), 1);
        lines.splice(Math.floor(random() * lines.length), 0, line);
        text = lines.join('\n');
        break;
      }
      case 5: {
        const other = pick(corpus, random);
        const from = Math.floor(random() * other.length);
        text = text.slice(0, at) + other.slice(from, from + 400) + text.slice(at);
        break;
      }
      default:
        text = text.slice(0, at) + pick(PIECES, random).repeat(Math.floor(random() ** 6 * 5_000)) + text.slice(at);
    }
  }
  return text;
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

/** mulberry32: the same files for the same seed. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
