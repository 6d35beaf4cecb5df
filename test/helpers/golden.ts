import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * `text` is what stands in `test/fixtures/FILE`. With UPDATE_GOLDEN=1 it is written there instead: look at `git diff test/fixtures`
 * before it is committed.
 */
export function assertGolden(file: string, text: string): void {
  const path = join(import.meta.dirname, '../fixtures', file);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.equal(text, readFileSync(path, 'utf8'), `${file} (UPDATE_GOLDEN=1 writes it anew)`);
}
