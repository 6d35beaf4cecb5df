import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  check,
  date,
  fields,
  listOf,
  mapOf,
  nullable,
  oneOf,
  optional,
  otherwise,
  type Shape,
  such,
  text,
  wholeNumber,
  withDefault,
  yes,
} from '../../../src/core/shape.ts';

interface Example {
  readonly name: string;
  readonly at: Date | null;
  readonly counts: readonly number[];
  readonly kind: 'a' | 'b';
  readonly strict?: true;
}

const example = fields<Example>({
  name: such(text, 'a name', (name) => name !== ''),
  at: nullable(date),
  counts: withDefault(listOf(wholeNumber(0, 9)), []),
  kind: oneOf('a', 'b'),
  strict: optional(yes),
});

const problemOf = <T>(shape: Shape<T>, value: unknown): string | undefined => {
  const checked = check(shape, value);
  return checked.kind === 'misfit' ? checked.problem : undefined;
};

test('what fits has the fields of its type and no others, in their order', () => {
  const given = { kind: 'b', other: 1, name: 'n', at: '2026-01-02T03:04:05.000Z' };
  const checked = check(example, given);
  assert(checked.kind === 'fits');
  assert.deepEqual(checked.value, { name: 'n', at: new Date(given.at), counts: [], kind: 'b' });
  assert.deepEqual(Object.keys(checked.value), ['name', 'at', 'counts', 'kind']);
});

test('kept fields stay in their places, unchecked', () => {
  const shape = fields<{ readonly b: string; readonly a?: string }>({ b: text, a: optional(text) }, 'kept');
  assert.equal(JSON.stringify(shape({ z: 1, b: 'b', y: null }, '')), '{"z":1,"b":"b","y":null}');
});

test('a misfit is reported with its place, what was expected, and what came', () => {
  const good = { name: 'n', at: null, kind: 'a' };
  assert.equal(problemOf(example, good), undefined);
  assert.equal(problemOf(example, { ...good, name: 5 }), 'name: expected a text, got a number');
  assert.equal(problemOf(example, { ...good, name: '' }), 'name: expected a name, got a string');
  assert.equal(problemOf(example, { ...good, at: 'then' }), 'at: expected a date, got a string');
  assert.equal(
    problemOf(example, { ...good, counts: [1, 10] }),
    'counts[1]: expected a whole number from 0 to 9, got a number',
  );
  assert.equal(problemOf(example, { ...good, kind: 'c' }), 'kind: expected a or b, got a string');
  assert.equal(problemOf(example, { ...good, strict: false }), 'strict: expected true, got a boolean');
  for (const [value, got] of [
    [null, 'null'],
    [[], 'a list'],
    [undefined, 'nothing'],
  ])
    assert.equal(problemOf(example, value), `expected an object, got ${got}`);
});

test('what an object inherits is not a field of it', () => {
  assert.match(problemOf(fields<{ readonly toString: string }>({ toString: text }), {}) ?? '', /^toString: .* got nothing$/);
});

test('a map has only names that are known; what may be anything has its fallback', () => {
  const map = mapOf(['a', 'b'], text);
  assert.deepEqual(map({ b: 'x' }, ''), { b: 'x' });
  assert.equal(problemOf(map, { c: 'x' }), 'expected a or b, got a string');
  assert.deepEqual([otherwise(yes, null)(true, ''), otherwise(yes, null)(1, '')], [true, null]);
});
