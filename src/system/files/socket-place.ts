import { userWords } from '../accounts/names.ts';
import { type HostEntry, ownEntry } from './host-entry.ts';
import { isSticky } from './mode.ts';
import { isFuse, walkPath } from './walk-path.ts';

/** Users and groups, by number, whose files and processes are believed. */
export interface Believed {
  readonly uids: ReadonlySet<number>;
  readonly gids: ReadonlySet<number>;
}

/** Whose a socket is. `others`: the reason is one line that begins with the path that is to blame. */
type SocketPlace =
  | { readonly kind: 'believed' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'others'; readonly reason: string };

/**
 * Whether none but the `believed` can have put a socket at that absolute path: it is theirs, and so is every folder and link that leads
 * to it as we see it ourselves; none of the folders is writable by anybody else, unless sticky. What the socket's own mode allows does
 * not count: everybody may connect to most. Source: path_resolution(7), unix(7).
 */
export function judgeSocket(path: string, believed: Believed): SocketPlace {
  // Not as others see the machine: it is we who connect.
  const end = walkPath(path, { judge: (at, entry, folder) => whoseElse(at, entry, folder, believed), look: ownEntry });
  if (end.kind === 'others') return end;
  if (end.stat === undefined) return { kind: 'missing' };
  return end.stat.isSocket() ? { kind: 'believed' } : { kind: 'others', reason: `${path} is no socket` };
}

function whoseElse(at: string, entry: HostEntry, folder: HostEntry, { uids, gids }: Believed): string | undefined {
  const { stat } = entry;
  if (!uids.has(stat.uid)) return `${at} belongs to ${userWords(stat.uid)}`;
  if (!stat.isDirectory()) return undefined;
  const open = (stat.mode & 0o002) !== 0 || ((stat.mode & 0o020) !== 0 && !gids.has(stat.gid));
  if (open && !isSticky(stat)) return `${at} is writable by others`;
  return stat.dev !== folder.stat.dev && isFuse(entry) ? `${at} is a FUSE file system` : undefined;
}
