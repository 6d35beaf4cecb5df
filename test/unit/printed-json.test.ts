import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { buildProgram } from '../../src/cli/cli.ts';
import { createCli } from '../../src/cli/context.ts';
import { declarationsOf, fieldsOf } from '../helpers/declared-fields.ts';
import { nowhere } from '../helpers/no-terminal.ts';
import { detailExamples, statusExamples } from '../helpers/status-examples.ts';

const read = (file: string): string => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');

/** Where the types stand that commands print as JSON. */
const declared = declarationsOf([
  'src/control/status.ts',
  'src/control/orders/check.ts',
  'src/control/orders/describe.ts',
  'src/control/orders/history.ts',
  'src/control/orders/pins.ts',
  'src/control/orders/uptime.ts',
  'src/control/orders/why.ts',
  'src/core/outcomes.ts',
  'src/core/errors.ts',
  'src/core/process/event-line.ts',
  'src/system/systemd/service-manager.ts',
  'src/stores/store.ts',
  'src/app/backends.ts',
]);

/** By heading of the section JSON: the type that is printed, and the fields whose insides stand below another heading. */
const PRINTED: Readonly<Record<string, readonly [type: string, elsewhere?: readonly string[]]>> = {
  'status --json': ['DaemonStatus'],
  'status NAME --json': ['ProcessDetails', ['process', 'store', 'hold', 'restart']],
  'check --json': ['{ readonly checks: readonly CheckedOne[] }'],
  'match --json': ['RestartPreview & { readonly strategy: string; readonly target: string }'],
  'breaker --json': [
    '{ readonly name: string; readonly target: string; readonly state: string; readonly failures: number; readonly remainingMs: number }',
  ],
  'breaker --reset --json': ['{ readonly reset: readonly string[] }'],
  'pin --json': [
    '{ readonly pinned: readonly PinOffer[]; readonly refused: readonly { readonly name: string; readonly reason: string }[] }',
  ],
  'why --json': ['Story', ['events']],
  'uptime --json': ['Uptimes'],
  'history --json': ['{ readonly events: readonly HistoryRecord[] }'],
  'unpin --json': ['{ readonly unpinned: readonly string[] }'],
  'check-config --json': ['CheckReport'],
  'events --json': ['EventLine'],
};

describe('what commands print for programs', () => {
  const described = fieldsOfManual(read('monitor_service.8'));

  for (const [heading, [type, elsewhere]] of Object.entries(PRINTED))
    it(`is in the manual, every field and no others: ${heading}`, () => {
      assert.deepEqual((described[heading] ?? []).toSorted(), fieldsOf(declared, type, elsewhere).sort());
    });

  it('is described of every command that has --json, and of no other', () => {
    const program = buildProgram(createCli(nowhere, () => Promise.reject(new Error('not needed'))));
    const commands = program.commands.filter(({ options }) => options.some(({ long }) => long === '--json'));
    const names = new Set(Object.keys(described).map((heading) => heading.split(' ')[0]));
    assert.deepEqual([...names].sort(), commands.map((command) => command.name()).sort());
    assert.deepEqual(Object.keys(described).sort(), Object.keys(PRINTED).sort());
  });

  it('has no field in the examples of status that is not described', () => {
    for (const [heading, examples, elsewhere] of [
      ['status --json', statusExamples, []],
      ['status NAME --json', detailExamples, ['process', 'store', 'hold', 'restart']],
    ] as const) {
      const known = new Set(described[heading]);
      const told = new Set(Object.values(examples).flatMap((example) => pathsIn(example, elsewhere)));
      assert.ok(told.size > 20, heading);
      assert.deepEqual(
        [...told].filter((path) => !known.has(path)),
        [],
        heading,
      );
    }
  });

  it('is in the README, as far as each process of status goes', () => {
    const [, table = ''] = read('README.md').split('What `status --json` says of each of `processes`:\n\n');
    const rows = (table.split('\n\n')[0] ?? '').matchAll(/^\| (`.*?`) \|/gm);
    const named = Array.from(rows, ([, cell = '']) => cell.match(/\w+/g) ?? []).flat();
    const expected = fieldsOf(declared, 'ProcessStatus').filter((path) => /^\w+$/.test(path));
    assert.deepEqual(named.sort(), expected.sort());
  });
});

/** Below each heading of the section JSON, the names of the entries. */
function fieldsOfManual(text: string): Record<string, string[]> {
  const section = text.split('.SH JSON\n')[1]?.split('.SH ')[0] ?? '';
  const parts = section
    .replaceAll('\\-', '-')
    .split(/^\.SS /m)
    .slice(1);
  return Object.fromEntries(
    parts.map((part) => {
      const names = Array.from(part.matchAll(/^\.TP\n\.B (\S+(?:, \S+)*)$/gm), ([, entry = '']) => entry.split(', '));
      return [part.split('\n')[0] ?? '', names.flat()];
    }),
  );
}

/** The paths of what a value has that is printed as JSON; inside those of `elsewhere` it is not looked. */
function pathsIn(value: unknown, elsewhere: readonly string[], at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, elsewhere, at.replace(/\.$/, '[].')));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (inner === undefined) return [];
    const path = `${at}${name}`;
    return [path, ...(elsewhere.includes(path) ? [] : pathsIn(inner, elsewhere, `${path}.`))];
  });
}
