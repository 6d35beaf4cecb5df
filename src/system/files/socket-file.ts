import { chmodSync, chownSync, lstatSync, mkdtempSync, renameSync, rmSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import type { SectionReader } from '../../core/config.ts';
import { errorMessage } from '../../core/errors.ts';
import { quoted } from '../../core/printable.ts';
import { makeFolder } from './make-folder.ts';

/** A socket cannot be had: another daemon answers there (`taken`), or something is in the way (`unusable`). */
export class SocketFileError extends Error {
  readonly code: 'SOCKET_TAKEN' | 'SOCKET_UNUSABLE';

  /** `what` names the socket for people: `control socket`. */
  constructor(kind: 'taken' | 'unusable', what: string, path: string, problem: string) {
    super(`${what} ${path}: ${problem}`);
    this.name = 'SocketFileError';
    this.code = kind === 'taken' ? 'SOCKET_TAKEN' : 'SOCKET_UNUSABLE';
  }
}

/** Judges a configured path of a socket; a problem goes to the reader. */
export function checkSocketPath(section: SectionReader, key: string, path: string): void {
  if (!isAbsolute(path) || path.endsWith('/') || /[\u0000-\u001f\u007f]/.test(path)) {
    section.problem(key, `cannot be used (expected a file's absolute path, got ${quoted(path)})`);
  } else if (Buffer.byteLength(path) > MAX_PATH || Buffer.byteLength(dirname(path)) > MAX_PATH - PRIVATE_NAME) {
    section.problem(
      key,
      `is too long for a socket (expected at most ${MAX_PATH - PRIVATE_NAME} bytes of folder, ${MAX_PATH} in all, got ${Buffer.byteLength(dirname(path))} and ${Buffer.byteLength(path)})`,
    );
  }
}

/** sun_path of unix(7), less the closing zero. */
const MAX_PATH = 107;
/** What is added to the folder while the socket is made: `/.new-XXXXXX/s`. */
const PRIVATE_NAME = 14;

/** How a socket file comes to its rights. */
export interface SocketFileOptions {
  /** Its name in errors: `control socket`. */
  readonly what: string;
  readonly path: string;
  readonly mode: number;
  /** undefined: our own. */
  readonly gid: number | undefined;
  /** Hears that the group could not be given; the socket is then our own group's. */
  readonly onGroupProblem: (problem: string) => void;
}

/** A socket file that is ours. */
export interface SocketFile {
  /** False if it is gone, or another has taken its place. */
  isThere(): boolean;
  /** Removes it, unless another has taken its place meanwhile. */
  remove(): void;
}

/**
 * Lets `server` listen on `path`. The folder is made (0755) where it is missing; the socket of a dead daemon is replaced, and
 * nothing else ever is. It is bound in a folder only we can enter and moved into place with its rights: there is no moment at
 * which anybody else could use it. Rejects with a SocketFileError.
 */
export async function listenOnSocket(server: Server, options: SocketFileOptions): Promise<SocketFile> {
  try {
    prepareFolder(options);
    await makeSureIsFree(options);
    return await bindAndPlace(server, options);
  } catch (error) {
    const { what, path } = options;
    throw error instanceof SocketFileError ? error : new SocketFileError('unusable', what, path, errorMessage(error));
  }
}

/** Whoever may write to the folder may put a socket of theirs there and be taken for the daemon. */
function prepareFolder({ what, path }: SocketFileOptions): void {
  const folder = dirname(path);
  // A group has to reach the socket.
  makeFolder(folder, 0o755);
  const { uid, mode } = statSync(folder);
  if (uid !== 0 && uid !== process.geteuid?.())
    throw new SocketFileError('unusable', what, path, `its folder belongs to user ${uid}`);
  if ((mode & 0o1002) === 0o002)
    throw new SocketFileError('unusable', what, path, 'its folder is writable by everybody (chmod o-w)');
}

async function makeSureIsFree({ what, path }: SocketFileOptions): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new SocketFileError('unusable', what, path, 'something that is no socket stands there');
  const problem = await knock(path);
  if (problem === undefined) throw new SocketFileError('taken', what, path, 'another daemon answers there');
  if (problem === 'ECONNREFUSED' || problem === 'ENOENT') return;
  throw new SocketFileError('taken', what, path, `a socket that is not ours stands there (${problem})`);
}

/** Connects and hangs up: undefined where somebody answers, else the errno of connect(2). */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (outcome: string | undefined): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => end(undefined));
    // EAGAIN: its queue is full, so it has an owner.
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'EAGAIN' ? undefined : String(error.code)));
  });
}

async function bindAndPlace(server: Server, { path, mode, gid, onGroupProblem }: SocketFileOptions): Promise<SocketFile> {
  const folder = mkdtempSync(join(dirname(path), '.new-'));
  try {
    const bound = join(folder, 's');
    await listen(server, bound);
    if (gid !== undefined) giveToGroup(bound, gid, onGroupProblem);
    chmodSync(bound, mode);
    const { ino, dev } = lstatSync(bound);
    renameSync(bound, path);
    const isThere = (): boolean => {
      const stat = lookAt(path);
      return stat?.ino === ino && stat.dev === dev;
    };
    return {
      isThere,
      remove: () => {
        if (isThere()) unlinkSync(path);
      },
    };
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** undefined if nothing is there, or it cannot be reached: a folder of it may be gone, or be a file now. */
function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function giveToGroup(path: string, gid: number, onProblem: (problem: string) => void): void {
  try {
    chownSync(path, process.geteuid?.() ?? -1, gid);
  } catch (error) {
    onProblem(errorMessage(error));
  }
}
