import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const MODULE = join(import.meta.dirname, '../../../../src/system/files/time-zone.ts');

/** Prints the hour of one moment, as Node and as date(1) have it: at first, when the zone was changed, after each `refresh`. */
const SCRIPT = `
const { execFileSync } = require('node:child_process');
const { copyFileSync, rmSync, symlinkSync } = require('node:fs');
const ZONES = '/usr/share/zoneinfo/';
const LINK = '/etc/localtime';
const say = (when) => {
  const date = execFileSync('date', ['-d', '@1790000000', '+%H:%M'], { encoding: 'utf8' }).trim();
  const node = new Date(1790000000000);
  const two = (n) => String(n).padStart(2, '0');
  console.log(when, two(node.getHours()) + ':' + two(node.getMinutes()), date);
};
import(${JSON.stringify(MODULE)}).then(({ TimeZone }) => {
  let now = 0;
  const zone = new TimeZone({ monotonicMs: () => (now += 10_000) });
  say('first');
  rmSync(LINK, { force: true });
  symlinkSync(ZONES + 'Asia/Tokyo', LINK);
  zone.refresh();
  say('linked');
  rmSync(LINK);
  copyFileSync(ZONES + 'America/New_York', LINK);
  zone.refresh();
  say('copied');
  zone.refresh();
  say('again');
  process.env.TZ = 'Asia/Kolkata';
  rmSync(LINK);
  symlinkSync(ZONES + 'Asia/Tokyo', LINK);
  zone.refresh();
  console.log('set', process.env.TZ, 'TZ' in process.env);
});
`;

test("a change of the machine's time zone takes effect, as in date(1); not if TZ is set", asRoot, (t) => {
  const dir = tempDir(t);
  // In a mount namespace of its own, with an /etc that is thrown away with it.
  const shell = `mount -t tmpfs none "$1" && mkdir "$1/up" "$1/work" &&
    mount -t overlay -o "lowerdir=/etc,upperdir=$1/up,workdir=$1/work" none /etc && exec "$2" -e "$3"`;
  const { TZ: _, ...env } = process.env;
  const output = execFileSync('unshare', ['-m', 'sh', '-c', shell, 'sh', dir, process.execPath, SCRIPT], {
    env,
    encoding: 'utf8',
  });
  const lines = output.trim().split('\n');
  assert.deepEqual(lines.slice(1), ['linked 23:13 23:13', 'copied 10:13 10:13', 'again 10:13 10:13', 'set Asia/Kolkata true']);
  assert.match(lines[0] ?? '', /^first (\d\d:\d\d) \1$/);
});
