// Finds, reads and decodes the configuration file, and those of config.d.
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, type ConfigProblem } from '../core/errors.ts';
import { whyOthersReach } from '../system/files/own-folder.ts';
import { whyUnreadable } from '../system/files/read-named-file.ts';
import { ConfigDocument, type ConfigPart } from './config-document.ts';
import { type FileAccess, folderProblems, permissionProblems, secretProblems } from './file-permissions.ts';
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
 * Reads a configuration file, and the `config.d/*.ini` beside it in the order of their names, and checks only their lines and
 * permissions: then read the sections and call `finish()`. `daemonUid` is the user that the daemon runs as, 0 for root; default:
 * our own. At most 1 MiB a file, UTF-8. Throws a ConfigError with one problem if the configuration file is missing, unreadable,
 * not a regular file, too large or not UTF-8; what is wrong with the others is among the document's problems.
 */
export function loadConfigFile(path: string, daemonUid: number = process.geteuid?.() ?? 0): ConfigDocument {
  return new ConfigDocument(readPart(path, daemonUid), partsOfFolder(join(dirname(path), FOLDER), daemonUid));
}

const FOLDER = 'config.d';

/** The document of a text; `file` is its name in messages. Never throws: what cannot be read is among its problems. */
export function loadConfigText(file: string, text: string): ConfigDocument {
  return new ConfigDocument({ file, ini: readIni(text) });
}

function readPart(file: string, daemonUid: number): ConfigPart {
  const { content, access } = readRegularFile(file);
  const ini = readIni(decodeUtf8(file, content));
  return { file, ini, problems: permissionProblems(access, daemonUid), ifSecret: secretProblems(access) };
}

/** The files of the folder; [] if there is none. A fault of the folder itself is a part without sections. */
function partsOfFolder(folder: string, daemonUid: number): ConfigPart[] {
  let names: string[];
  let problems: ConfigProblem[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.ini') && !name.startsWith('.'));
    problems = folderProblems(statSync(folder), daemonUid);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return [];
    return [flawed(folder, refused(folder, `cannot be read: ${reasonOf(error)}`).problems)];
  }
  if (names.length > MOST_FILES)
    return [flawed(folder, refused(folder, `holds ${names.length} files (expected at most ${MOST_FILES})`).problems)];
  const parts = names.sort().map((name) => readOrReport(join(folder, name), daemonUid));
  return problems.length > 0 ? [flawed(folder, problems), ...parts] : parts;
}

const MOST_FILES = 256;

function readOrReport(file: string, daemonUid: number): ConfigPart {
  try {
    return readPart(file, daemonUid);
  } catch (error) {
    if (error instanceof ConfigError) return flawed(file, error.problems);
    throw error;
  }
}

function flawed(file: string, problems: readonly ConfigProblem[]): ConfigPart {
  return { file, ini: readIni(''), problems };
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
