import type { SectionReader } from '../core/config.ts';
import { checkSocketPath } from '../system/sockets/configured-path.ts';

/** The options of `[control]`: where the daemon takes orders. */
export interface ControlOptions {
  /** `socket`: the Unix socket's absolute path; default /run/monitor_service/control.sock. */
  readonly socket: string;
  /** Permissions of the socket: 0660. */
  readonly mode: number;
  /** `group`: name or number of the group whose members may give orders; undefined: the daemon's own group. */
  readonly group: string | undefined;
}

/** The socket of a daemon whose configuration does not set one. */
export const DEFAULT_SOCKET = '/run/monitor_service/control.sock';

/** Reads `[control]`; problems go to the reader. */
export function parseControl(section: SectionReader): ControlOptions {
  return { socket: parseSocket(section), mode: 0o660, group: section.text('group') };
}

function parseSocket(section: SectionReader): string {
  const socket = section.text('socket') ?? DEFAULT_SOCKET;
  checkSocketPath(section, 'socket', socket);
  return socket;
}
