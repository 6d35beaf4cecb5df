import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executedPrograms, MOST_BESIDES } from '../../../../src/core/shell/executed-programs.ts';
import { ReadingBudget } from '../../../../src/core/shell/reading-budget.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Commands of which each has the next run many times. */
function nested(levels: number, times: number, innermost = 'date +%s'): string {
  let text = innermost;
  for (let level = 0; level < levels; level++) text = `x=${quoted(text)};${'eval $x;'.repeat(times)}`;
  return text;
}

function read(text: string, budget = new ReadingBudget(MOST_BESIDES)) {
  const { programs } = executedPrograms(text, (name) => name === 'date', {}, budget);
  return { names: programs.map(({ name }) => name), isWhole: !budget.isSpent };
}

test('what is read to its end says so', () => {
  for (const text of [
    'date',
    nested(3, 3),
    `sh -c 'sh -c "sh -c date"'`,
    `${'a; '.repeat(30_000)} date`,
    `${'$(a) `b` '.repeat(1000)}; date`,
    'sudo -u x nice -n 5 timeout 5 env A=b find /x -exec xargs date \\;',
  ]) {
    const { names, isWhole } = read(text);
    assert.ok(names.includes('date') && isWhole, text.slice(0, 80));
  }
});

test('a short text that has very much read is not read to its end, and says so', () => {
  for (const text of [
    nested(4, 20),
    nested(3, 100),
    nested(10, 2),
    `x='${'a; '.repeat(3000)}'; ${'sh -c "$x"; '.repeat(1000)}`,
    `x='${'a; '.repeat(3000)}'; ${'eval $x; '.repeat(1000)}`,
    `A=${'x'.repeat(100)}; ${'A=$A$A; '.repeat(1000)} eval $A; eval $A`,
    `${'eval '.repeat(5000)} date`,
    `${'sudo '.repeat(5000)} date`,
    `${'find -exec '.repeat(5000)} date`,
    `${'$('.repeat(30)} date`,
    `${'$(a)'.repeat(10_000)} date`,
    `${'``'.repeat(10_000)} date`,
    `\${x:-`.repeat(30),
  ]) {
    const { names, isWhole } = read(text);
    assert.ok(!isWhole, text.slice(0, 80));
    assert.ok(names.length <= text.length + MOST_BESIDES);
  }
});

test('many texts share one budget: of a text that comes after its end what it says itself is still found', () => {
  const whole = new ReadingBudget(100_000);
  const spent = Array.from({ length: 100 }, () => read(nested(4, 20), new ReadingBudget(MOST_BESIDES, whole)));
  assert.ok(spent.slice(3).every(({ isWhole, names }) => !isWhole && names.length <= 21));
  assert.deepEqual(read('a; date +%s', new ReadingBudget(MOST_BESIDES, whole)), { names: ['a', 'date'], isWhole: true });
  assert.deepEqual(read('eval date', new ReadingBudget(MOST_BESIDES, whole)), { names: ['eval'], isWhole: false });
});
