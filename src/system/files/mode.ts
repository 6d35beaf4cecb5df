/** Whether others than its owner may write to a file or a folder of this `mode` (st_mode). Source: inode(7). */
export function isOpenToOthers({ mode }: { readonly mode: number }): boolean {
  return (mode & 0o022) !== 0;
}

/** Whether only its owner may put another in the place of an entry of a folder of this `mode`. Source: inode(7), S_ISVTX. */
export function isSticky({ mode }: { readonly mode: number }): boolean {
  return (mode & 0o1000) !== 0;
}

/** The permissions of a `mode` (st_mode) as chmod(1) has them: `0755`, `1777`. */
export function modeWords({ mode }: { readonly mode: number }): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
