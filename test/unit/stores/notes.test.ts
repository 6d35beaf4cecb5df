import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { charactersThatFit, restartNote, UNLIMITED } from '../../../src/stores/notes.ts';

test('the note is the bash service’s', () => {
  assert.equal(restartNote(new Date(2026, 0, 2, 3, 4, 5)), ' - Restarted at 2026-01-02 03:04:05');
});

test('what fits is the most that fits', () => {
  const capacity = fc.record({
    unit: fc.constantFrom('characters' as const, 'bytes' as const),
    limit: fc.nat(40),
    charset: fc.constant('utf8mb4'),
    maxBytes: fc.constant(4),
  });
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 30 }),
      capacity,
      fc.constantFrom('left' as const, 'right' as const),
      (text, column, side) => {
        const all = Array.from(text);
        const keep = (count: number): string[] => (side === 'left' ? all.slice(0, count) : all.slice(all.length - count));
        const size = (part: string[]): number => (column.unit === 'bytes' ? Buffer.byteLength(part.join('')) : part.length);
        const count = charactersThatFit(text, column, side);
        assert.ok(size(keep(count)) <= column.limit);
        assert.ok(count === all.length || size(keep(count + 1)) > column.limit);
      },
    ),
  );
});

test('character sets of other widths', () => {
  const bytes = { unit: 'bytes', limit: 10 } as const;
  assert.equal(charactersThatFit('é'.repeat(20), { ...bytes, charset: 'latin1', maxBytes: 1 }, 'right'), 10);
  assert.equal(charactersThatFit('é'.repeat(20), { ...bytes, charset: 'utf16', maxBytes: 4 }, 'right'), 2);
  assert.equal(charactersThatFit('磁'.repeat(20), { ...bytes, charset: 'gbk', maxBytes: 2 }, 'right'), 5);
  assert.equal(charactersThatFit('a'.repeat(20), { ...bytes, charset: 'gbk', maxBytes: 2 }, 'right'), 10);
  assert.equal(charactersThatFit('x'.repeat(100_000), UNLIMITED, 'right'), 100_000);
});
