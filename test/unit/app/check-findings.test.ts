import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { warnOfChecks } from '../../../src/app/check-findings.ts';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { formatProblem } from '../../../src/core/errors.ts';
import { parseChecks } from '../../../src/detectors/checks/parse-checks.ts';
import { openZoo } from '../../helpers/process-zoo.ts';
import { asRoot } from '../../helpers/requirement.ts';

test('a plugin that is missing is reported, and one that root would run and others can change', asRoot, (t) => {
  const script = openZoo(t).script('plugin', '#!/bin/sh\n');
  chmodSync(script, 0o777);
  const document = loadConfigText(
    'f',
    `[check.gone]\ntype = command\ncommand = /usr/lib/nosuch/check_x -H a\n[check.open]\ntype = command\ncommand = ${script}\n[check.well]\ntype = command\ncommand = test -e /\n`,
  );
  warnOfChecks({ document, checks: parseChecks(document) });
  const told = document.problems.map((problem) => formatProblem(document.file, problem));
  assert.equal(told.length, 2, told.join('\n'));
  assert.match(told[0] ?? '', /^f:3: \[check\.gone\] command: .*\/usr\/lib\/nosuch\/check_x/);
  assert.match(told[1] ?? '', /^f:6: \[check\.open\] command: .*plugin/);
});
