/**
 * Whose a connection is, by the kernel's word: root's (or the daemon's own user's), or the user's of that number, undefined if it
 * cannot be told.
 */
export type Holder = { readonly kind: 'root' } | { readonly kind: 'user'; readonly uid: number | undefined };

/** Whose a connection of this user is. */
export function holderOf(uid: number | undefined): Holder {
  return uid !== undefined && rootUids().includes(uid) ? { kind: 'root' } : { kind: 'user', uid };
}

/** Root, and the daemon's own user: a daemon that is not root is its own user's: nobody can get more by it than that user has. */
export function rootUids(): number[] {
  return [...new Set([0, process.geteuid?.() ?? 0])];
}
