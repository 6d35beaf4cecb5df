import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from './seeded-random.ts';

/** Every good and bad example, and the shipped file. */
export function configCorpus(): string[] {
  const fixtures = join(import.meta.dirname, '../fixtures/config');
  const examples = ['good', 'bad'].flatMap((folder) =>
    readdirSync(join(fixtures, folder))
      .filter((name) => name.endsWith('.ini'))
      .map((name) => readFileSync(join(fixtures, folder, name), 'utf8')),
  );
  return [...examples, readFileSync(join(import.meta.dirname, '../../config.ini'), 'utf8')];
}

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

/** `original` with one to eight random cuts, repeats, swaps, pastes and bad characters. */
export function mutate(original: string, corpus: readonly string[], random: Random): string {
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

/** One of `items`. */
export function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}
