import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemdContainer } from './systemd-container.ts';

/** The name of the daemon's own unit. */
export const DAEMON_UNIT = 'monitor_service.service';

/** Where the daemon of a container is installed, inside of it. */
const HOME = '/opt/monitor_service';

/** The daemon as it ships, in a container: its unit file and the build of dist/. It is not started. */
export async function installDaemon(container: SystemdContainer, config: string): Promise<void> {
  const home = container.path(HOME);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(join(home, 'bin'), { recursive: true });
  symlinkSync(container.node, join(home, 'bin/node'));
  symlinkSync(`${container.project}/dist`, join(home, 'dist'));
  const script = `#!/bin/sh\nexec ${HOME}/bin/node ${HOME}/dist/main.js "$@"\n`;
  writeFileSync(join(home, 'bin/monitor_service'), script, { mode: 0o755 });
  writeFileSync(join(home, 'config.ini'), config, { mode: 0o600 });
  copyFileSync(join(import.meta.dirname, '../..', DAEMON_UNIT), container.path(`/etc/systemd/system/${DAEMON_UNIT}`));
  await container.read(['systemctl', 'daemon-reload']);
}

/** Runs a command of monitor_service in there. */
export function callDaemon(container: SystemdContainer, ...args: readonly string[]): ReturnType<SystemdContainer['exec']> {
  return container.exec([`${HOME}/bin/monitor_service`, ...args]);
}
