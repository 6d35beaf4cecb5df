import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The lines of the drop-in with which README.md lets the kernel's process events into the unit's sandbox. */
export function documentedDropIn(): string[] {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const [, dropIn = ''] =
    /^ *# systemctl edit monitor_service\n((?: *\[Service\]\n)(?:.*\n)*?.*AF_NETLINK.*\n(?:.*NET_ADMIN.*\n))/m.exec(
      readme.split('\n## The event stream\n')[1] ?? '',
    ) ?? assert.fail('no drop-in in README.md');
  return dropIn.split('\n').flatMap((line) => line.trim() || []);
}
