// The user to whom a connection counts.
/**
 * Whose connection it is, according to the kernel: root's (or the daemon's own user's), or that of the user with this number,
 * undefined if the kernel does not say.
 */
export type Holder = { readonly kind: 'root' } | { readonly kind: 'user'; readonly uid: number | undefined };

/** The holder of a connection of this user. */
export function holderOf(uid: number | undefined): Holder {
  return uid !== undefined && rootUids().includes(uid) ? { kind: 'root' } : { kind: 'user', uid };
}

/**
 * The users who count as root: root, and the daemon's own user. A daemon that is not root gives its user no more rights than
 * that user has.
 */
export function rootUids(): number[] {
  return [...new Set([0, process.geteuid?.() ?? 0])];
}
