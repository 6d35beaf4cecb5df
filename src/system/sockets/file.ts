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

/** A socket cannot be had: another daemon answers there (`taken`), or something is in the way (`unusable`). */
class SocketFileError extends Error {
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
interface SocketFileOptions {
  /** Its name in errors: `control socket`. */
  readonly what: string;
  readonly path: string;
  /** What one who is not root and may not have it there does, for the end of a line: `set [events] socket to a place of its own`. */
  readonly cure: string;
  readonly mode: number;
  /** undefined: our own. */
  readonly gid: number | undefined;
  /** Hears that the group could not be given; the socket is then our own group's. */
  readonly onGroupProblem: (problem: string) => void;
}

/** A socket file that is ours. */
interface SocketFile {
  /** False if it is gone, or another has taken its place. */
  isThere(): boolean;
  /** Removes it, unless another has taken its place meanwhile. */
  remove(): void;
}

/**
 * Lets `server` listen on `path`. The folder is made (0755) where it is missing, and must be root's and ours alone, as must be every
 * folder that leads to it (judgeFolder); the socket of a dead daemon is replaced, and nothing else ever is. It is bound in a folder only
 * we can enter and moved into place with its rights: there is no moment at which anybody else could use it, and none at which a path is
 * looked up anew that somebody could have led elsewhere. Rejects with a SocketFileError.
 */
export async function listenOnSocket(server: Server, options: SocketFileOptions): Promise<SocketFile> {
  try {
    // A group has to reach the socket.
    const { path: real } = makeFolder(dirname(options.path), 0o755, { sticky: 'let pass' });
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
  if (!stat.isSocket()) throw new SocketFileError('unusable', what, path, 'something that is no socket stands there');
  const found = await knock(path);
  switch (found.kind) {
    case 'answered':
      throw new SocketFileError('taken', what, path, 'another daemon answers there');
    case 'stranger':
      throw new SocketFileError('unusable', what, path, `${found.words} listens there, which is no daemon of ours`);
    case 'failed':
      if (found.code === 'ECONNREFUSED' || found.code === 'ENOENT') return;
      if (DENIED.includes(found.code)) throw unusable(options, found);
      throw new SocketFileError('taken', what, path, `a socket that is not ours stands there (${found.code})`);
    default:
      found satisfies never;
  }
}

type Found =
  | { readonly kind: 'answered' }
  /** Somebody else's process, by the kernel's word. */
  | { readonly kind: 'stranger'; readonly words: string }
  /** `code`: the errno of connect(2). */
  | { readonly kind: 'failed'; readonly code: string };

/** Connects and hangs up. */
function knock(path: string): Promise<Found> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (outcome: Found): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => {
      const peer = peerOf(socket);
      const isOurs = peer === undefined || peer.uid === 0 || peer.uid === process.geteuid?.();
      end(isOurs ? { kind: 'answered' } : { kind: 'stranger', words: peerWords(peer) });
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
    // By its name, which /proc/net/unix shows; that it came to stand here the next calls find out.
    await listen(server, join(folder, name, 's'));
    const bound = inner.path('s');
    const { ino, dev } = lstatSync(bound);
    if (gid !== undefined) giveToGroup(bound, gid, onGroupProblem);
    // It follows links, but nobody else can lay one in here.
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
    lchownSync(path, process.geteuid?.() ?? -1, gid);
  } catch (error) {
    onProblem(errorMessage(error));
  }
}
