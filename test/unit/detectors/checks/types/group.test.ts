import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfigText } from '../../../../../src/config/config-file.ts';
import { formatProblem } from '../../../../../src/core/errors.ts';
import type { CheckParts, Finding } from '../../../../../src/detectors/checks/check.ts';
import { parseChecks } from '../../../../../src/detectors/checks/parse-checks.ts';
import { groupCheck } from '../../../../../src/detectors/checks/types/group.ts';
import { never } from '../../../../helpers/worker-world.ts';

const states: Readonly<Record<string, Finding>> = {
  good: { kind: 'ok' },
  better: { kind: 'ok' },
  warns: { kind: 'failing', reason: 'soon', isWarning: true },
  bad: { kind: 'failing', reason: 'down' },
  worse: { kind: 'failing', reason: 'down' },
  dark: { kind: 'unknown', reason: 'no answer' },
  fresh: { kind: 'unknown', reason: 'not looked yet' },
};

async function look(members: string, minOk = ''): Promise<string> {
  const document = loadConfigText('f', `[check.g]\nmembers = ${members}${minOk === '' ? '' : `\nmin_ok = ${minOk}`}`);
  const check = { name: 'g', processName: undefined, systemName: 'g' };
  const options = groupCheck.parse(document.member('check', 'g'), check);
  assert(options !== undefined && document.problems.length === 0);
  const parts = { ofCheck: async (name: string) => states[name] } as unknown as CheckParts;
  const reading = await groupCheck.create(options, check, parts).look(1000, never);
  return reading.kind === 'ok' ? 'ok' : `${reading.kind}: ${reading.reason}`;
}

describe('type = group', () => {
  it('is ok while enough of its members are', async () => {
    assert.equal(await look('good, better, warns'), 'ok');
    assert.equal(await look('good, bad'), 'failing: 1 of 2 are ok (expected at least 2): bad is failing');
    assert.equal(await look('good, bad, dark', '1'), 'ok');
    assert.equal(
      await look('bad, worse, dark', '2'),
      'failing: 0 of 3 are ok (expected at least 2): bad is failing, worse is failing, dark is unknown',
    );
  });

  it('is unknown while that depends on what is unknown, or does not exist', async () => {
    assert.equal(await look('good, dark'), 'unknown: 1 of 2 are ok (expected at least 2): dark is unknown');
    assert.equal(
      await look('bad, dark, good', '2'),
      'unknown: 1 of 3 are ok (expected at least 2): bad is failing, dark is unknown',
    );
    assert.equal(await look('good, bad, fresh', '2'), 'unknown: not looked yet', 'it has not looked either');
    assert.equal(
      await look('bad, worse, fresh', '2'),
      'failing: 0 of 3 are ok (expected at least 2): bad is failing, worse is failing, fresh is unknown',
    );
    assert.equal(await look('good, nosuch'), 'unknown: 1 of 2 are ok (expected at least 2): nosuch is unknown');
  });

  it('says what is wrong with its members, circles too', () => {
    const document = loadConfigText(
      'f',
      `[check.a]
type = group
[check.b]
type = group
members = c, x/part
min_ok = 3
[check.c]
type = group
members = d
[check.d]
type = unit
depends_on = c
[check.e]
type = group
members = e/part
`,
    );
    parseChecks(document);
    assert.deepEqual(
      document.problems.map((problem) => formatProblem(document.file, problem)),
      [
        'f:1: [check.a] members: is missing: type = group needs the names of its checks',
        'f:5: [check.b] members: x/part has no section',
        'f:6: [check.b] min_ok: invalid value "3", expected a whole number (1 to 2)',
        'f:9: [check.c] members: is a circle: c -> d -> c (expected that no check depends on itself)',
        'f:12: [check.d] depends_on: is a circle: d -> c -> d (expected that no check depends on itself)',
        'f:15: [check.e] members: is a circle: e -> e (expected that no check depends on itself)',
      ],
    );
  });
});
