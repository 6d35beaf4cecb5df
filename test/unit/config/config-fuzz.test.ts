import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { describeChanges } from '../../../src/config/describe-changes.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { configCorpus, mutate, pick } from '../../helpers/mutated-config.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import { readWhole } from './whole-config.ts';

const FILES = 10_000;
const SEED = Number(process.env.FUZZ_SEED ?? 1);

it(`${FILES} mutated configuration files are read or refused, each in bounded time (seed ${SEED})`, () => {
  const corpus = configCorpus();
  const random = seededRandom(SEED);
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
      assert.deepEqual(document.names('process'), [name]);
      const section = document.member('process', name);
      const expected = command.trimStart();
      assert.equal(section.command('restart_command'), expected.startsWith('#') ? undefined : expected || undefined);
      assert.equal(section.secret('smtp_password'), password);
      assert.equal(section.text('health_check_body'), quoted || undefined);
      assert.equal(document.problems.filter(({ severity }) => severity === 'error').length, 0);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
