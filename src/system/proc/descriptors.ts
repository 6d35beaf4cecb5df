// The open descriptors of a process.
/** Where a link of /proc/PID leads. */
export interface LinkTarget {
  /** A path; for a descriptor also `socket:[INODE]`, `pipe:[INODE]` or `anon_inode:…`. */
  readonly path: string;
  /** The file has been removed or replaced since, and occupies its space until it is closed. */
  readonly deleted: boolean;
}

/** An open descriptor and the target of its link in /proc/PID/fd. */
export interface Descriptor extends LinkTarget {
  readonly fd: number;
}

/**
 * A descriptor of a path, as the process's mount namespace has it: for a process in a container the path is the container's.
 */
export type OpenFile = Descriptor;

/** The descriptors that refer to a path. */
export function openFilesOf(descriptors: readonly Descriptor[]): OpenFile[] {
  return descriptors.filter(({ path }) => path.startsWith('/'));
}

/** The descriptors that are sockets, with their inodes. */
export function socketsOf(descriptors: readonly Descriptor[]): [fd: number, inode: number][] {
  const sockets: [number, number][] = [];
  for (const { fd, path } of descriptors) {
    if (path.startsWith(SOCKET)) sockets.push([fd, Number.parseInt(path.slice(SOCKET.length), 10)]);
  }
  return sockets;
}

const SOCKET = 'socket:[';
