// Reads the memory of processes in Node's thread pool, with a time limit.
import { closeSync, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { Slots } from '../../core/slots.ts';
import { type BeginPieces, giveBack, PIECE_BYTES, takePiece } from './pieces.ts';

/** Means that something could not be read in time, or because no descriptor was left: no conclusion is possible. */
export const UNREAD = Symbol('unread');

/** The process to read from, and the time limit. */
export interface PoolRead {
  readonly pid: number;
  /** The effective uid of the process. */
  readonly uid: number;
  readonly ms: number;
}

/**
 * Reads what a process keeps in its own memory, its arguments and its environment, in Node's thread pool. The kernel takes the
 * lock of that memory for the read, and the process's owner can hold that lock for a second and longer (mprotect(2) over many
 * gigabytes, a page that userfaultfd(2) holds back): on the event loop that would stop everything. At most one read at a time
 * for each user, and two in all, because the pool serves others too. Never rejects.
 */
export class PoolFiles {
  readonly #root: string;

  /** `root` is the path at which proc is mounted. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Like ProcFiles.text, for at most PIECE_BYTES. */
  text(of: PoolRead, file: string, limit: number): Promise<string | undefined | typeof UNREAD> {
    return this.#read(of, file, async (fd, piece) => {
      const { bytesRead } = await readSome(fd, piece, 0, Math.min(limit, PIECE_BYTES), null);
      return piece.toString('utf8', 0, bytesRead);
    });
  }

  /** Like ProcFiles.pieces. */
  pieces<T>(of: PoolRead, file: string, begin: BeginPieces<T>): Promise<T | undefined | typeof UNREAD> {
    return this.#read(of, file, async (fd, piece) => {
      const to = begin(piece);
      while (to.goesOn) to.take((await readSome(fd, to.buffer, to.at, to.length, to.position)).bytesRead);
      return to.answer;
    });
  }

  async #read<T>(
    { pid, uid, ms }: PoolRead,
    file: string,
    use: (fd: number, piece: Buffer) => Promise<T>,
  ): Promise<T | undefined | typeof UNREAD> {
    const endMs = performance.now() + ms;
    const leftMs = (): number => endMs - performance.now();
    for (let before = underWay.get(uid); before !== undefined; before = underWay.get(uid))
      if ((await withTimeout(leftMs(), before)) === UNREAD) return UNREAD;
    // A read that is given up keeps its slot until the kernel ends it.
    const reading = this.#inSlot(`${this.#root}/${pid}/${file}`, ms, use).finally(() => underWay.delete(uid));
    underWay.set(uid, reading);
    return withTimeout(leftMs(), reading);
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
/** The reads in progress, by user. */
const underWay = new Map<number, Promise<unknown>>();
const openFile = promisify(open);
const readSome = promisify(read);

function withTimeout<T>(ms: number, work: Promise<T>): Promise<T | typeof UNREAD> {
  if (ms <= 0) return Promise.resolve(UNREAD);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, UNREAD);
    void work.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
