// The check of a socket's configured path.
import { dirname, isAbsolute } from 'node:path';
import type { SectionReader } from '../../core/config.ts';
import { quoted } from '../../core/text/printable.ts';

/** Checks the configured path of a socket and reports problems to the section reader. */
export function checkSocketPath(section: SectionReader, key: string, path: string): void {
  if (!isAbsolute(path) || path.endsWith('/') || /[\u0000-\u001f\u007f]/.test(path)) {
    section.problem(key, `invalid value ${quoted(path)}, expected the absolute path of a file`);
  } else if (Buffer.byteLength(path) > MAX_PATH || Buffer.byteLength(dirname(path)) > MAX_PATH - PRIVATE_NAME) {
    section.problem(
      key,
      `the path is too long for a socket, expected at most ${MAX_PATH - PRIVATE_NAME} bytes of folder and ${MAX_PATH} in all, got ${Buffer.byteLength(dirname(path))} and ${Buffer.byteLength(path)}`,
    );
  }
}

/** The length of sun_path of unix(7), less the closing zero. */
const MAX_PATH = 107;
/** The bytes that are added to the folder's path while the socket is made: `/.new-XXXXXX/s`. */
const PRIVATE_NAME = 14;
