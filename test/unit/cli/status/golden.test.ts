import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderDetails } from '../../../../src/cli/status/details.ts';
import { renderStatus } from '../../../../src/cli/status/overview.ts';
import { displayWidth } from '../../../../src/cli/terminal/display-width.ts';
import type { TableOptions } from '../../../../src/cli/terminal/table.ts';
import { processStateNames } from '../../../../src/control/process-state.ts';
import { printable } from '../../../../src/core/text/printable.ts';
import { assertGolden } from '../../../helpers/golden.ts';
import { detailExamples, exampleTime, statusExamples } from '../../../helpers/status-examples.ts';

process.env.TZ = 'Europe/Berlin';

/** What a person sees, by the name of its golden file. */
const views: Record<string, (options: TableOptions) => string[]> = Object.fromEntries([
  ...Object.entries(statusExamples).map(([name, status]) => [
    `status-${name}`,
    (options: TableOptions) => renderStatus(status, exampleTime, options),
  ]),
  ...Object.entries(detailExamples).map(([name, details]) => [
    `process-${name}`,
    (options: TableOptions) => renderDetails(details, exampleTime, options),
  ]),
]);

describe('what status shows', () => {
  for (const [name, view] of Object.entries(views)) {
    for (const width of [40, 80, 120]) {
      it(`${name}, ${width} columns`, () => {
        const lines = view({ width, colour: false });
        assertGolden(`cli/${name}-${width}.txt`, `${lines.join('\n')}\n`);
        const coloured = view({ width, colour: true });
        assert.deepEqual(coloured.map(stripVTControlCharacters), lines);
        if (width !== 40) assertGolden(`cli/${name}-${width}.colour.txt`, `${coloured.join('\n')}\n`);
      });
    }

    it(`${name}, no terminal`, () =>
      assertGolden(`cli/${name}.txt`, `${view({ width: undefined, colour: false }).join('\n')}\n`));

    it(`${name} fits every terminal, and is whole`, () => {
      const whole = squeezed(view({ width: undefined, colour: false }));
      for (const width of [20, 21, 33, 40, 41, 60, 79, 80, 81, 100, 120, 250]) {
        const lines = view({ width, colour: false });
        for (const line of lines) assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
        assert.deepEqual(letters(lines), letters(whole), `${width}`);
        assert.doesNotMatch(lines.join(''), /…/);
        for (const line of lines) assert.equal(line, printable(line));
      }
    });
  }
});

it('every word of the model is in the status at 80 columns', () => {
  const text = renderStatus(statusExamples.words, exampleTime, { width: 80, colour: false }).join('\n');
  for (const word of processStateNames) assert.match(text, new RegExp(`^\\S* +${word} `, 'm'));
});

/** Line breaks and blanks are all that differs between widths. */
function squeezed(lines: readonly string[]): string[] {
  return lines.map((line) => line.replaceAll(' ', ''));
}

/** How often each character stands there: a field that has moved to another line is not lost. */
function letters(lines: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const character of lines.join('').replaceAll(' ', '')) counts[character] = (counts[character] ?? 0) + 1;
  return counts;
}
