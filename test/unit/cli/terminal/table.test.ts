import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { displayWidth } from '../../../../src/cli/terminal/display-width.ts';
import { factLines } from '../../../../src/cli/terminal/fact-lines.ts';
import { renderTable } from '../../../../src/cli/terminal/table.ts';
import { wrap } from '../../../../src/cli/terminal/wrap.ts';

describe('text in lines', () => {
  it('is broken at blanks, and inside a word only if it has to be', () => {
    for (const [text, width, lines] of [
      ['', 5, ['']],
      ['    ', 2, ['']],
      ['one two', 7, ['one two']],
      ['one two', 6, ['one', 'two']],
      ['one  two', 6, ['one', 'two']],
      [' one two', 6, [' one', 'two']],
      ['a abcdefgh b', 4, ['a', 'abcd', 'efgh', 'b']],
      ['abcdefghi j', 4, ['abcd', 'efgh', 'i j']],
      ['名前名前', 5, ['名前', '名前']],
      ['e\u0301e\u0301e\u0301', 2, ['e\u0301e\u0301', 'e\u0301']],
      ['one two', undefined, ['one two']],
    ] as const)
      assert.deepEqual(wrap(text, width), lines, JSON.stringify(text));
  });

  it('has numbers beside their units, except if a line has no room for both', () => {
    for (const [text, width, lines] of [
      ['open, 12 min left', 8, ['open,', '12 min', 'left']],
      ['up 2 d 4 h', 7, ['up 2 d', '4 h']],
      ['CPU 0.4 %', 7, ['CPU', '0.4 %']],
      ['at 2026-11-27 03:04:11 +0100 (x)', 27, ['at', '2026-11-27 03:04:11 +0100', '(x)']],
      ['at 2026-11-27 03:04:11 +0100 (x)', 20, ['at 2026-11-27', '03:04:11 +0100 (x)']],
    ] as const)
      assert.deepEqual(wrap(text, width), lines);
  });
});

describe('a table', () => {
  const rows = [
    [{ text: '名前' }, { text: '1', style: 'red' as const }, { text: 'x'.repeat(50) }],
    [{ text: 'n'.repeat(60) }, { text: '22' }, { text: 'y' }],
    [{ text: 'short' }, { text: '3' }, { text: '' }],
  ];
  const draw = (width: number | undefined) => renderTable(['NAME', 'N', 'LAST'], rows, { width, colour: false });

  it('is never wider than the terminal, and nothing of it is cut', () => {
    const characters = (lines: readonly string[]) => [...lines.join('').replaceAll(' ', '')].sort().join('');
    for (const width of [20, 30, 57, 58, 66, 67, 68, 80, 200]) {
      const lines = draw(width);
      for (const line of lines) assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
      assert.equal(characters(lines), characters(draw(undefined)), String(width));
    }
  });

  it('gives a first field that its column has no room for a line of its own', () => {
    const [head = '', first = '', name = '', second = '', third = ''] = draw(80);
    assert.equal(name, 'n'.repeat(60));
    assert.deepEqual([head.indexOf('N', 1), second.indexOf('22'), third.indexOf('3')], [7, 7, 7]);
    assert.equal(displayWidth(first.slice(0, first.indexOf('1'))), 7);
  });

  it('takes several lines, the header too, if it has no room', () => {
    assert.deepEqual(draw(55).slice(0, 3), ['NAME', '  N', '  LAST']);
    assert.deepEqual(draw(55).slice(-2), ['short', '  3']);
  });

  it('has a line for each row if there is no terminal', () => {
    const lines = draw(undefined);
    assert.equal(lines.length, 4);
    assert.equal(lines[2], `${'n'.repeat(60)}  22  y`);
    assert.equal(lines[3], `short  3`);
  });

  it('has colours around the words, not the blanks', () => {
    const lines = renderTable(['A', 'B'], [[{ text: 'a' }, { text: 'b', style: 'red' }]], { width: 80, colour: true });
    assert.equal(lines[1], 'a  \u001b[31mb\u001b[39m');
  });
});

describe('facts', () => {
  const facts = [
    { label: 'store', text: 'one two three four five six seven eight' },
    { label: '', text: 'nine', style: 'red' as const },
    { label: null, text: 'ten' },
  ];

  it('stand behind their labels, wrapped below themselves', () => {
    assert.deepEqual(factLines(facts, { indent: 2, label: 8 }, { width: 40, colour: false }), [
      '  store   one two three four five six',
      '          seven eight',
      '          nine',
      '  ten',
    ]);
  });

  it('are below their labels if there is little room', () => {
    assert.deepEqual(factLines(facts, { indent: 2, label: 8 }, { width: 30, colour: false }), [
      '  store',
      '    one two three four five',
      '    six seven eight',
      '    nine',
      '  ten',
    ]);
  });

  it('are printable, and coloured line by line', () => {
    const fact = { label: 'a', text: 'x\u001b[2J\ny '.repeat(4), style: 'yellow' as const };
    assert.deepEqual(factLines([fact], { indent: 0, label: 3 }, { width: 28, colour: true }), [
      'a  \u001b[33mx?[2J y x?[2J y x?[2J y\u001b[39m',
      '   \u001b[33mx?[2J y\u001b[39m',
    ]);
  });
});
