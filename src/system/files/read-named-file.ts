import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { SectionReader } from '../../core/config.ts';
import { errorMessage } from '../../core/errors.ts';
import { quoted } from '../../core/text/printable.ts';

/**
 * The content of the file that `key` names (at most 1 MiB); undefined if the key is absent, or if the file cannot be read,
 * which is reported to the reader as a problem. The path is absolute, or starts with `$CREDENTIALS_DIRECTORY/`
 * (systemd.exec(5)). If everybody may read a `secret`, that is a warning.
 */
export function readNamedFile(
  section: SectionReader,
  key: string,
  env: NodeJS.ProcessEnv,
  { secret }: { readonly secret: boolean },
): string | undefined {
  const path = resolvePath(section, key, env);
  if (path === undefined) return undefined;
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK a fifo would block here before we could see that it is one.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error('it is not a regular file');
    if (stat.size > MAX_BYTES) throw new Error('it is larger than 1 MiB');
    if (secret && (stat.mode & 0o004) !== 0) section.warning(key, 'the file can be read by everybody (chmod 600)');
    return readFileSync(fd, 'utf8');
  } catch (error) {
    section.problem(key, `cannot read ${quoted(path)}, expected a regular file of at most 1 MiB: ${whyUnreadable(error)}`);
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const MAX_BYTES = 1024 * 1024;

/** Why a file could not be opened or read, in one line. */
export function whyUnreadable(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EACCES':
      return 'permission denied';
    default:
      return errorMessage(error);
  }
}

function resolvePath(section: SectionReader, key: string, env: NodeJS.ProcessEnv): string | undefined {
  const text = section.text(key);
  if (text === undefined) return undefined;
  const credential = /^\$(?:CREDENTIALS_DIRECTORY|\{CREDENTIALS_DIRECTORY\})\/(.*)$/.exec(text)?.[1];
  if (credential !== undefined) {
    if (env.CREDENTIALS_DIRECTORY) return `${env.CREDENTIALS_DIRECTORY}/${credential}`;
    section.problem(key, '$CREDENTIALS_DIRECTORY is not set: start the daemon by systemd, with LoadCredential= in the unit');
  } else if (isAbsolute(text)) {
    return text;
  } else {
    section.problem(
      key,
      `invalid value ${quoted(text)}, expected an absolute path, or one that starts with $CREDENTIALS_DIRECTORY/`,
    );
  }
  return undefined;
}
