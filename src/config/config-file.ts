// Finds, reads and decodes the configuration file.
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { whyOthersReach } from '../system/files/own-folder.ts';
import { whyUnreadable } from '../system/files/read-named-file.ts';
import { ConfigDocument } from './config-document.ts';
import { type FileAccess, permissionProblems } from './file-permissions.ts';
import { readIni } from './read-ini.ts';

/**
 * The configuration file to read: `--config FILE`, else `$MONITOR_SERVICE_CONFIG`, else /opt/monitor_service/config.ini. If
 * that does not exist, config.ini in the current directory, but never for root (anybody could have put it there).
 */
export function configPath(option: string | undefined, env: NodeJS.ProcessEnv, isRoot: boolean, exists = fileExists): string {
  const named = option ?? (env.MONITOR_SERVICE_CONFIG || undefined);
  if (named !== undefined) return named;
  return !isRoot && !exists(INSTALLED_CONFIG) && exists(LOCAL_CONFIG) ? LOCAL_CONFIG : INSTALLED_CONFIG;
}

const INSTALLED_CONFIG = '/opt/monitor_service/config.ini';
const LOCAL_CONFIG = './config.ini';

/** A file that exists but is not accessible counts as existing: silently skipping it would run another configuration. */
function fileExists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code));
  }
}

/**
 * Reads a configuration file and checks only its lines and permissions: then read its sections and call `finish()`. `daemonUid`
 * is the user that the daemon runs as, 0 for root; default: our own. At most 1 MiB, UTF-8. Throws a ConfigError with one
 * problem if the file is missing, unreadable, not a regular file, too large or not UTF-8.
 */
export function loadConfigFile(path: string, daemonUid: number = process.geteuid?.() ?? 0): ConfigDocument {
  const { content, access } = readRegularFile(path);
  const document = loadConfigText(path, decodeUtf8(path, content));
  for (const problem of permissionProblems(access, daemonUid, document.holdsSecret())) document.report(problem);
  return document;
}

/** The document of a text; `file` is its name in messages. Never throws: what cannot be read is among its problems. */
export function loadConfigText(file: string, text: string): ConfigDocument {
  const ini = readIni(text);
  const document = new ConfigDocument(file, ini);
  for (const problem of ini.problems) document.report(problem);
  return document;
}

function readRegularFile(path: string): { content: Buffer; access: FileAccess } {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK a fifo would block here before anybody could see that it is one.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    // fstat of the open file, because another file may have taken its place meanwhile.
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw refused(path, 'is not a regular file');
    const content = readAtMost(fd, MAX_BYTES + 1);
    if (content.length > MAX_BYTES) throw refused(path, 'is too large (expected at most 1 MiB)');
    const { mode, uid, gid } = stat;
    const reach = whyOthersReach(resolve(path));
    return { content, access: { mode, uid, gid, directory: statSync(dirname(realpathSync(path))), reach } };
  } catch (error) {
    throw error instanceof ConfigError ? error : refused(path, `cannot be read: ${reasonOf(error)}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const MAX_BYTES = 1024 * 1024;

function readAtMost(fd: number, limit: number): Buffer {
  const buffer = Buffer.alloc(limit);
  let length = 0;
  while (length < limit) {
    const read = readSync(fd, buffer, length, limit - length, null);
    if (read === 0) break;
    length += read;
  }
  return buffer.subarray(0, length);
}

function decodeUtf8(path: string, content: Buffer): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(content);
  } catch {
    // A line feed is never part of another character in UTF-8, so the faulty line can be decoded alone.
    let line = 1;
    for (let start = 0; start < content.length; line++) {
      const end = content.indexOf(0x0a, start);
      const next = end < 0 ? content.length : end + 1;
      if (!isUtf8(content.subarray(start, next))) break;
      start = next;
    }
    throw refused(path, 'is not UTF-8 text (save it as UTF-8)', line);
  }
}

function refused(path: string, problem: string, line = 0): ConfigError {
  return new ConfigError(path, [{ severity: 'error', line, section: '', key: '', problem }]);
}

function reasonOf(error: unknown): string {
  const isRefused = (error as NodeJS.ErrnoException).code === 'EACCES';
  return `${whyUnreadable(error)}${isRefused && process.geteuid?.() !== 0 ? ' (run as root)' : ''}`;
}
