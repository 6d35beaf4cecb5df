import { closeSync, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { Slots } from '../../core/slots.ts';
import { type BeginPieces, giveBack, PIECE_BYTES, takePiece } from './pieces.ts';

/** What could not be read in time, or for want of a descriptor: nothing follows from it. */
export const UNREAD = Symbol('unread');

/** Of whom something is read, and how long that may take. */
export interface AsideRead {
  readonly pid: number;
  /** The process's effective user. */
  readonly uid: number;
  readonly ms: number;
}

/**
 * Reads what a process holds in its own memory, its arguments and its environment, in Node's thread pool. The kernel takes the lock
 * of that memory for it, which whose it is can keep for a second and longer (mprotect(2) over many gigabytes, a page that is held back by
 * userfaultfd(2)): on the loop that would hold up everything. One at a time of each user, and two in all, for the pool has others
 * to serve. Never rejects.
 */
export class AsideFiles {
  readonly #root: string;

  /** `root` is where proc is mounted. */
  constructor(root: string) {
    this.#root = root;
  }

  /** The same as ProcFiles.text, of PIECE_BYTES at most. */
  text(of: AsideRead, file: string, limit: number): Promise<string | undefined | typeof UNREAD> {
    return this.#read(of, file, async (fd, piece) => {
      const { bytesRead } = await readSome(fd, piece, 0, Math.min(limit, PIECE_BYTES), null);
      return piece.toString('utf8', 0, bytesRead);
    });
  }

  /** The same as ProcFiles.pieces. */
  pieces<T>(of: AsideRead, file: string, begin: BeginPieces<T>): Promise<T | undefined | typeof UNREAD> {
    return this.#read(of, file, async (fd, piece) => {
      const to = begin(piece);
      while (to.goesOn) to.take((await readSome(fd, to.buffer, to.at, to.length, to.position)).bytesRead);
      return to.answer;
    });
  }

  async #read<T>(
    { pid, uid, ms }: AsideRead,
    file: string,
    use: (fd: number, piece: Buffer) => Promise<T>,
  ): Promise<T | undefined | typeof UNREAD> {
    const endMs = performance.now() + ms;
    const leftMs = (): number => endMs - performance.now();
    for (let before = underWay.get(uid); before !== undefined; before = underWay.get(uid))
      if ((await within(leftMs(), before)) === UNREAD) return UNREAD;
    // What is given up keeps its place until the kernel lets go of it.
    const reading = this.#inSlot(`${this.#root}/${pid}/${file}`, ms, use).finally(() => underWay.delete(uid));
    underWay.set(uid, reading);
    return within(leftMs(), reading);
  }

  async #inSlot<T>(
    path: string,
    ms: number,
    use: (fd: number, piece: Buffer) => Promise<T>,
  ): Promise<T | undefined | typeof UNREAD> {
    if (!(await slots.take(ms))) return UNREAD;
    const piece = takePiece();
    let fd: number | undefined;
    try {
      fd = await openFile(path, 'r');
      return await use(fd, piece);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'EMFILE' || code === 'ENFILE' ? UNREAD : undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
      giveBack(piece);
      slots.release();
    }
  }
}

const AT_ONCE = 2;
const slots = new Slots(AT_ONCE);
/** By user. */
const underWay = new Map<number, Promise<unknown>>();
const openFile = promisify(open);
const readSome = promisify(read);

function within<T>(ms: number, work: Promise<T>): Promise<T | typeof UNREAD> {
  if (ms <= 0) return Promise.resolve(UNREAD);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, UNREAD);
    void work.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
