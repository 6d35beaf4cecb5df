// Whether a socket can be made at a path, and the error if it cannot.
import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { errorMessage } from '../../core/errors.ts';
import { peerOf } from '../native/peer.ts';
import { peerWords } from './server-peer.ts';

/** A socket is not available: another daemon answers on it (`taken`), or something prevents its use (`unusable`). */
export class SocketFileError extends Error {
  readonly code: 'SOCKET_TAKEN' | 'SOCKET_UNUSABLE';

  /** `what` names the socket for people: `control socket`. */
  constructor(kind: 'taken' | 'unusable', what: string, path: string, problem: string) {
    super(`${what} ${path}: ${problem}`);
    this.name = 'SocketFileError';
    this.code = kind === 'taken' ? 'SOCKET_TAKEN' : 'SOCKET_UNUSABLE';
  }
}

/** Where a socket file is made. */
export interface SocketPlace {
  /** Its name in errors: `control socket`. */
  readonly what: string;
  readonly path: string;
  /**
   * What a user can do who is not root and may not create it there, for the end of a line: `set [events] socket to a place of
   * its own`.
   */
  readonly cure: string;
}

/** The error for a socket that cannot be made because of `error`. */
export function unusable({ what, path, cure }: SocketPlace, error: unknown): SocketFileError {
  const isDenied = DENIED.includes(String((error as NodeJS.ErrnoException | null)?.code));
  const problem = isDenied ? `permission denied${process.geteuid?.() === 0 ? '' : ` (${cure})`}` : errorMessage(error);
  return new SocketFileError('unusable', what, path, problem);
}

const DENIED: readonly string[] = ['EACCES', 'EPERM'];

/** Resolves if nothing is at the path but the socket of a dead daemon, or nothing at all; else rejects with a SocketFileError. */
export async function makeSureIsFree(place: SocketPlace): Promise<void> {
  const { what, path } = place;
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
      if (DENIED.includes(found.code)) throw unusable(place, found);
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
