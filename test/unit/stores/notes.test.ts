import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  charactersThatFit,
  type NotesCapacity,
  restartedNotes,
  restartNote,
  shortNotesRemark,
  spaceOf,
  UNLIMITED,
  withoutRestartNotes,
} from '../../../src/stores/notes.ts';

const NOTE = ' - Restarted at 2026-01-02 03:04:05';

/** What the statement makes of `notes`. */
function after(notes: string, capacity: NotesCapacity, note = NOTE): string {
  const change = restartedNotes(notes, note, capacity);
  const characters = Array.from(notes);
  return characters.slice(0, characters.length - change.drop).join('') + change.note;
}

const column = (unit: 'characters' | 'bytes', limit: number): NotesCapacity => ({
  unit,
  limit,
  charset: 'utf8mb4',
  maxBytes: 4,
});

test('the note is the bash service’s', () => {
  assert.equal(restartNote(new Date(2026, 0, 2, 3, 4, 5)), NOTE);
});

test('what fits is the most that fits', () => {
  const capacity = fc.record({
    unit: fc.constantFrom('characters' as const, 'bytes' as const),
    limit: fc.nat(40),
    charset: fc.constant('utf8mb4'),
    maxBytes: fc.constant(4),
  });
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), capacity, (text, column) => {
      const all = Array.from(text);
      const size = (part: string[]): number => (column.unit === 'bytes' ? Buffer.byteLength(part.join('')) : part.length);
      const count = charactersThatFit(text, column);
      assert.ok(size(all.slice(0, count)) <= column.limit);
      assert.ok(count === all.length || size(all.slice(0, count + 1)) > column.limit);
    }),
  );
});

test('character sets of other widths', () => {
  const bytes = { unit: 'bytes', limit: 10 } as const;
  assert.equal(charactersThatFit('é'.repeat(20), { ...bytes, charset: 'latin1', maxBytes: 1 }), 10);
  assert.equal(charactersThatFit('é'.repeat(20), { ...bytes, charset: 'utf16', maxBytes: 4 }), 2);
  assert.equal(charactersThatFit('磁'.repeat(20), { ...bytes, charset: 'gbk', maxBytes: 2 }), 5);
  assert.equal(charactersThatFit('a'.repeat(20), { ...bytes, charset: 'gbk', maxBytes: 2 }), 10);
  assert.equal(charactersThatFit('x'.repeat(100_000), UNLIMITED), 100_000);
});

test('a clearing takes the place of former ones, and leaves what was said before', () => {
  const former = ' - Restarted at 2025-12-31 23:59:59';
  for (const head of [
    '',
    'Billing web server; call the shop before touching it',
    'ș 😀 ',
    '- Restarted at noon',
    `${former}!`,
  ]) {
    assert.equal(after(head, UNLIMITED), head + NOTE);
    assert.equal(after(head + former, UNLIMITED), head + NOTE);
    assert.equal(after(head + former + former, UNLIMITED), head + NOTE);
    assert.equal(withoutRestartNotes(head + former), head);
  }
  let notes = 'Billing web server; call the shop before touching it';
  for (let i = 0; i < 4; i++) notes = after(notes, column('characters', 100));
  assert.equal(notes, `Billing web server; call the shop before touching it${NOTE}`);
});

test('if there is no room for both, the end of the head is cut; if there is none for the note, its beginning', () => {
  assert.equal(after('0123456789', column('characters', 40)), `01234${NOTE}`);
  assert.equal(after('😀😀😀', column('bytes', NOTE.length + 9)), `😀😀${NOTE}`);
  assert.equal(after('old', column('characters', 10)), NOTE.slice(-10));
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.nat(120),
      fc.constantFrom('characters' as const, 'bytes' as const),
      (head, limit, unit) => {
        const capacity = column(unit, limit);
        const left = after(head, capacity);
        assert.ok(spaceOf(left, capacity) <= limit);
        assert.ok(limit < NOTE.length || left.endsWith(NOTE));
        assert.ok(limit < NOTE.length || head.startsWith(left.slice(0, -NOTE.length)));
      },
    ),
  );
});

test('a column in which a clearing leaves little room is reported', () => {
  assert.match(shortNotesRemark(column('characters', 30)).join(), /^notes hold 30 characters, and a clearing takes 35 of them/);
  assert.deepEqual([shortNotesRemark(column('characters', 100)), shortNotesRemark(UNLIMITED)], [[], []]);
});

test('a column without a character set counts bytes', () => {
  const capacity: NotesCapacity = { unit: 'bytes', limit: 65_535, charset: '', maxBytes: 1 };
  assert.deepEqual(restartedNotes('ăă', NOTE, capacity), { drop: 0, note: NOTE });
  assert.deepEqual(restartedNotes('ăă', NOTE, { ...capacity, limit: NOTE.length + 3 }), { drop: 2, note: NOTE });
});
