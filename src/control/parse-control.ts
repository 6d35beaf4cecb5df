import { dirname, isAbsolute } from 'node:path';
import type { SectionReader } from '../core/config.ts';

/** `[control]`: where the daemon takes orders. */
export interface ControlOptions {
  /** `socket`: the Unix socket's absolute path; default /run/monitor_service/control.sock. */
  readonly socket: string;
  /** Permissions of the socket: 0660. */
  readonly mode: number;
  /** `group`: name or number of the group whose members may give orders; undefined: the daemon's own. */
  readonly group: string | undefined;
}

/** The socket of a daemon whose configuration says nothing else. */
export const DEFAULT_SOCKET = '/run/monitor_service/control.sock';

/** Reads `[control]`; problems go to the reader. */
export function parseControl(section: SectionReader): ControlOptions {
  return { socket: parseSocket(section), mode: 0o660, group: section.text('group') };
}

function parseSocket(section: SectionReader): string {
  const socket = section.text('socket') ?? DEFAULT_SOCKET;
  if (!isAbsolute(socket) || socket.endsWith('/') || /[\u0000-\u001f\u007f]/.test(socket)) {
    section.problem('socket', `must be a file's absolute path, got ${JSON.stringify(socket)}`);
  } else if (Buffer.byteLength(socket) > MAX_PATH || Buffer.byteLength(dirname(socket)) > MAX_PATH - PRIVATE_NAME) {
    section.problem(
      'socket',
      `is too long for a socket (expected at most ${MAX_PATH - PRIVATE_NAME} bytes of folder, ${MAX_PATH} in all)`,
    );
  }
  return socket;
}

/** sun_path of unix(7), less the closing zero. */
const MAX_PATH = 107;
/** What socket-file.ts adds to the folder while the socket is made: `/.new-XXXXXX/s`. */
const PRIVATE_NAME = 14;
