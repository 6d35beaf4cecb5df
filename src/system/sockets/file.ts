// A Unix socket file that a server listens on, and the check of its configured path.
import { chmodSync, lchownSync, lstatSync, mkdtempSync, renameSync, rmSync, type Stats, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { SectionReader } from '../../core/config.ts';
import { errorMessage } from '../../core/errors.ts';
import { quoted } from '../../core/text/printable.ts';
import { HeldFolder } from '../files/held-folder.ts';
import { makeFolder } from '../files/make-folder.ts';
import { peerOf } from '../native/peer.ts';
import { peerWords } from './server-peer.ts';

/** A socket is not available: another daemon answers on it (`taken`), or something prevents its use (`unusable`). */
class SocketFileError extends Error {
  readonly code: 'SOCKET_TAKEN' | 'SOCKET_UNUSABLE';

  /** `what` names the socket for people: `control socket`. */
  constructor(kind: 'taken' | 'unusable', what: string, path: string, problem: string) {
    super(`${what} ${path}: ${problem}`);
    this.name = 'SocketFileError';
    this.code = kind === 'taken' ? 'SOCKET_TAKEN' : 'SOCKET_UNUSABLE';
  }
}

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

/** Where a socket file is made, and with which rights. */
interface SocketFileOptions {
  /** Its name in errors: `control socket`. */
  readonly what: string;
  readonly path: string;
  /**
   * What a user can do who is not root and may not create it there, for the end of a line: `set [events] socket to a place of
   * its own`.
   */
  readonly cure: string;
  readonly mode: number;
  /** The group that the socket is given to; undefined: our own. */
  readonly gid: number | undefined;
  /** Called if the group could not be set; the socket then keeps our own group. */
  readonly onGroupProblem: (problem: string) => void;
}

/** A socket file of ours. */
interface SocketFile {
  /** False if it was removed or replaced. */
  isThere(): boolean;
  /** Removes it, unless another file has taken its place. */
  remove(): void;
}

/**
 * Makes `server` listen on `path`. The folder is made (0755) if it is missing. It must belong to root and us alone, as must
 * every folder that leads to it (judgeFolder). The socket of a dead daemon is replaced, and nothing else ever is. The socket is
 * bound in a folder that only we can enter, and moved into place with its rights: there is no moment at which anybody else
 * could use it, and none at which we look up a path again that somebody could have redirected. Rejects with a SocketFileError.
 */
export async function listenOnSocket(server: Server, options: SocketFileOptions): Promise<SocketFile> {
  try {
    // A group has to reach the socket.
    const { path: real } = makeFolder(dirname(options.path), 0o755, { sticky: 'allow' });
    await makeSureIsFree(options);
    return await bindAndPlace(server, real, options);
  } catch (error) {
    throw error instanceof SocketFileError ? error : unusable(options, error);
  }
}

function unusable({ what, path, cure }: SocketFileOptions, error: unknown): SocketFileError {
  const isDenied = DENIED.includes(String((error as NodeJS.ErrnoException | null)?.code));
  const problem = isDenied ? `permission denied${process.geteuid?.() === 0 ? '' : ` (${cure})`}` : errorMessage(error);
  return new SocketFileError('unusable', what, path, problem);
}

const DENIED: readonly string[] = ['EACCES', 'EPERM'];

async function makeSureIsFree(options: SocketFileOptions): Promise<void> {
  const { what, path } = options;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new SocketFileError('unusable', what, path, 'the path exists and is not a socket');
  const found = await probe(path);
  switch (found.kind) {
    case 'answered':
      throw new SocketFileError('taken', what, path, 'another daemon answers there');
    case 'foreign':
      throw new SocketFileError('unusable', what, path, `${found.words} listens there and is not a monitor_service daemon`);
    case 'failed':
      if (found.code === 'ECONNREFUSED' || found.code === 'ENOENT') return;
      if (DENIED.includes(found.code)) throw unusable(options, found);
      throw new SocketFileError('taken', what, path, `a socket of another program is there (${found.code})`);
    default:
      found satisfies never;
  }
}

type ProbeResult =
  | { readonly kind: 'answered' }
  /** A process of another user, according to the kernel. */
  | { readonly kind: 'foreign'; readonly words: string }
  /** `code`: the errno of connect(2). */
  | { readonly kind: 'failed'; readonly code: string };

/** Connects to learn who listens there, and disconnects. */
function probe(path: string): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (outcome: ProbeResult): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => {
      const peer = peerOf(socket);
      const isOurs = peer === undefined || peer.uid === 0 || peer.uid === process.geteuid?.();
      end(isOurs ? { kind: 'answered' } : { kind: 'foreign', words: peerWords(peer) });
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      // EAGAIN: its queue is full, so it has an owner.
      end(error.code === 'EAGAIN' ? { kind: 'answered' } : { kind: 'failed', code: String(error.code) }),
    );
  });
}

async function bindAndPlace(server: Server, folder: string, options: SocketFileOptions): Promise<SocketFile> {
  const { path, mode, gid, onGroupProblem } = options;
  const parent = new HeldFolder(folder);
  let inner: HeldFolder | undefined;
  const name = basename(mkdtempSync(parent.path('.new-')));
  try {
    inner = new HeldFolder(parent.path(name));
    // By its path, which /proc/net/unix shows; the next calls verify that the socket is in this folder.
    await listen(server, join(folder, name, 's'));
    const bound = inner.path('s');
    const { ino, dev } = lstatSync(bound);
    if (gid !== undefined) giveToGroup(bound, gid, onGroupProblem);
    // chmod follows links, but nobody else can place one in here.
    chmodSync(bound, mode);
    renameSync(bound, parent.path(basename(path)));
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
    inner?.close();
    rmSync(parent.path(name), { recursive: true, force: true });
    parent.close();
  }
}

/**
 * The status of an entry; undefined if it does not exist or cannot be reached: one of its folders may have been removed, or be
 * a file now.
 */
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
    lchownSync(path, process.geteuid?.() ?? -1, gid);
  } catch (error) {
    onProblem(errorMessage(error));
  }
}
