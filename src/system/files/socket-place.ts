// Whether only trusted users can have put a Unix socket at its place.
import { userWords } from '../accounts/names.ts';
import { type HostEntry, ownEntry } from './host-entry.ts';
import { isSticky } from './mode.ts';
import { isFuse, walkPath } from './walk-path.ts';

/** The numbers of users and groups whose files and processes are trusted. */
export interface Believed {
  readonly uids: ReadonlySet<number>;
  readonly gids: ReadonlySet<number>;
}

/** Who controls a socket. `others`: the reason is one line that begins with the path that causes it. */
type SocketPlace =
  | { readonly kind: 'believed' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'others'; readonly reason: string };

/**
 * Whether only the `believed` users and groups can have put a socket at the absolute path: it belongs to them, as does every
 * folder and link that leads to it as we see it ourselves; no folder is writable by anybody else, unless it is sticky. The
 * socket's own mode does not count: everybody may connect to most sockets. Source: path_resolution(7), unix(7).
 */
export function judgeSocket(path: string, believed: Believed): SocketPlace {
  // As we see the machine, not as others do: we are the ones who connect.
  const end = walkPath(path, { judge: (at, entry, folder) => whoseElse(at, entry, folder, believed), look: ownEntry });
  if (end.kind === 'others') return end;
  if (end.stat === undefined) return { kind: 'missing' };
  return end.stat.isSocket() ? { kind: 'believed' } : { kind: 'others', reason: `${path} is not a socket` };
}

function whoseElse(at: string, entry: HostEntry, folder: HostEntry, { uids, gids }: Believed): string | undefined {
  const { stat } = entry;
  if (!uids.has(stat.uid)) return `${at} belongs to ${userWords(stat.uid)}`;
  if (!stat.isDirectory()) return undefined;
  const open = (stat.mode & 0o002) !== 0 || ((stat.mode & 0o020) !== 0 && !gids.has(stat.gid));
  if (open && !isSticky(stat)) return `${at} is writable by others`;
  return stat.dev !== folder.stat.dev && isFuse(entry) ? `${at} is a FUSE file system` : undefined;
}
