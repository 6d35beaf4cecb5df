import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const MODULE = join(import.meta.dirname, '../../../src/core/clock.ts');

test('a time for people is what date(1) says, in any zone, before and after its clocks are changed', () => {
  // The hours around both changes of Berlin's, New York's and Lord Howe's clocks, and far from any.
  const seconds = [
    1774745999, 1774746000, 1792889999, 1792890000, 1772953199, 1772953200, 1791040000, 1767225599, 0, 4102444800,
  ];
  for (const zone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', ':Asia/Tokyo']) {
    const env = { ...process.env, TZ: zone };
    const script = `import(${JSON.stringify(MODULE)}).then(({ localTimestamp }) =>
      console.log(${JSON.stringify(seconds)}.map((second) => localTimestamp(new Date(second * 1000))).join('\\n')))`;
    const shown = execFileSync(process.execPath, ['-e', script], { env, encoding: 'utf8' }).trim().split('\n');
    const dates = seconds.map((second) =>
      execFileSync('date', ['-d', `@${second}`, '+%F %T'], { env, encoding: 'utf8' }).trim(),
    );
    assert.deepEqual(shown, dates, zone);
  }
});
