// What the mode of a file or folder allows.
/** Whether users other than its owner may write to a file or folder with this `mode` (st_mode). Source: inode(7). */
export function isOpenToOthers({ mode }: { readonly mode: number }): boolean {
  return (mode & 0o022) !== 0;
}

/** Whether only the owner of an entry may replace it in a folder with this `mode`. Source: inode(7), S_ISVTX. */
export function isSticky({ mode }: { readonly mode: number }): boolean {
  return (mode & 0o1000) !== 0;
}

/** The permissions of a `mode` (st_mode) as chmod(1) writes them: `0755`, `1777`. */
export function modeWords({ mode }: { readonly mode: number }): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
