import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli } from '../helpers/daemon.ts';
import { configCorpus, mutate, pick } from '../helpers/mutated-config.ts';
import { seededRandom } from '../helpers/seeded-random.ts';
import { tempDir } from '../helpers/temp-dir.ts';

/** What they are read as is told by 10,000 of them in one process (unit/config/config-fuzz.test.ts); here a process ends with its code. */
const FILES = 50;

test(`${FILES} mutated configuration files, each read by a process of its own: exit 0 or 78, one line a problem`, {
  timeout: 600_000,
}, async (t) => {
  const dir = tempDir(t);
  const corpus = configCorpus();
  const random = seededRandom(2);
  const texts = Array.from({ length: FILES }, () => mutate(pick(corpus, random), corpus, random));
  const count = new Map<number | null, number>();
  const judge = async (text: string, i: number): Promise<void> => {
    const file = join(dir, `config-${i}.ini`);
    writeFileSync(file, text, { mode: 0o600 });
    const { code, stdout, stderr } = await runCli(['check-config', '--config', file], { limitMs: 30_000 });
    assert.ok(code === 0 || code === 78, `file ${i}: exit ${code}\n${stderr}\n${JSON.stringify(text)}`);
    assert.doesNotMatch(`${stdout}${stderr}`, /^\s+at |node:internal|Error:.*\n\s+at /m);
    assert.doesNotMatch(stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    if (code === 78) assert.match(stderr, /config-\d+\.ini:/);
    count.set(code, (count.get(code) ?? 0) + 1);
  };
  const queue = texts.entries();
  const worker = async (): Promise<void> => {
    for (const [i, text] of queue) await judge(text, i);
  };
  await Promise.all([worker(), worker()]);
  assert.ok((count.get(0) ?? 0) > 0 && (count.get(78) ?? 0) > 0, JSON.stringify([...count]));
});
