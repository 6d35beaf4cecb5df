// A Unix socket file that a server listens on.
import { chmodSync, lchownSync, lstatSync, mkdtempSync, renameSync, rmSync, type Stats, unlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import { HeldFolder } from '../files/held-folder.ts';
import { makeFolder } from '../files/make-folder.ts';
import { makeSureIsFree, SocketFileError, type SocketPlace, unusable } from './free-path.ts';

/** Where a socket file is made, and with which rights. */
interface SocketFileOptions extends SocketPlace {
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
