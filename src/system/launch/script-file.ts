// Reads scripts: their first line, and how the kernel executes them.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LaunchRecord } from '../../core/program/launch-record.ts';
import { hostPath, O_PATH } from '../files/host-path.ts';
import { calledName } from '../proc/called-names.ts';

/**
 * Returns how to execute a script again that was executed by its own path; undefined if it is not such a script. The kernel
 * then uses the script's name as `comm`, and otherwise the interpreter's. It has put the interpreter, perhaps one argument, and
 * the path before the script's own arguments (execve(2)).
 */
export function asScript(
  name: string,
  argv: readonly string[],
  cwd: string,
): Pick<LaunchRecord, 'argv' | 'executable'> | undefined {
  for (const place of [1, 2]) {
    const path = argv[place];
    if (path === undefined || path === '' || calledName(path) !== name) continue;
    const file = resolve(cwd, path);
    const [interpreter, argument] = readShebang(file);
    if (interpreter !== argv[0] || argument !== (place === 2 ? argv[1] : undefined)) continue;
    return { executable: file, argv: argv.slice(place) };
  }
  return undefined;
}

/** Returns interpreter and argument of a script's first line (execve(2)); [] if the file is not a script or cannot be read. */
export function readShebang(file: string): string[] {
  const [, line = ''] = /^#!([^\n]*)/.exec(readStart(file, 256)?.toString() ?? '') ?? [];
  const [, interpreter, argument] = /^[ \t]*([^ \t]+)(?:[ \t]+(.*?))?[ \t]*$/.exec(line) ?? [];
  return [interpreter, argument || undefined].filter((word) => word !== undefined);
}

/** Returns a script's whole text; undefined if it is longer than 64 KiB, not a regular file, or cannot be read. */
export function readScript(file: string): string | undefined {
  const text = readStart(file, LONGEST_SCRIPT + 1);
  return text !== undefined && text.length <= LONGEST_SCRIPT ? text.toString() : undefined;
}

const LONGEST_SCRIPT = 64 * 1024;

/** Returns the first bytes of a regular file. */
function readStart(file: string, bytes: number): Buffer | undefined {
  try {
    // Checked before it is opened for reading: opening a device can have an effect, and opening a FIFO waits for its writer.
    const place = openSync(hostPath(file), O_PATH);
    try {
      return fstatSync(place).isFile() ? readBytes(`/proc/self/fd/${place}`, bytes) : undefined;
    } finally {
      closeSync(place);
    }
  } catch {
    return undefined;
  }
}

function readBytes(file: string, bytes: number): Buffer {
  const head = Buffer.alloc(bytes);
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}
