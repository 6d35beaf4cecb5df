import type { HostAddress } from '../address.ts';

/** What DNS says of a name. */
export type DnsAnswer =
  | { readonly kind: 'found'; readonly addresses: readonly HostAddress[] }
  /** There is no such name, or it has no address: a server said so. */
  | { readonly kind: 'none' }
  /** A server answered, or was not to be reached, and cannot tell; one line why. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Nobody has answered. */
  | { readonly kind: 'silent' };
