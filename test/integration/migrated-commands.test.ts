import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { testMigratedCommands } from '../helpers/migrated-commands.ts';

// Under a real systemd: test/system/inside/migrated-commands.ts.

const systemd = existsSync('/run/systemd/system') && process.geteuid?.() === 0;
if (systemd) test('commands of a migrated file, directly', { skip: 'systemd runs here, and we are root' }, () => {});
else testMigratedCommands('directly');
