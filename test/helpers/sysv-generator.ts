import { existsSync } from 'node:fs';

/** What makes a unit of a script in /etc/init.d, where this machine has it: newer systemds come without. */
export const SYSV_GENERATOR = '/usr/lib/systemd/system-generators/systemd-sysv-generator';

/** Why there are no units of such scripts here, in one line; undefined if there are. */
export function sysvProblem(): string | undefined {
  return existsSync(SYSV_GENERATOR) ? undefined : `units of /etc/init.d need ${SYSV_GENERATOR}`;
}
