/** Where a link of /proc/PID leads. */
export interface LinkTarget {
  /** A path, or of a descriptor also `socket:[INODE]`, `pipe:[INODE]`, `anon_inode:…`. */
  readonly path: string;
  /** The file has been removed or replaced since, and takes its space until it is closed. */
  readonly deleted: boolean;
}

/** An open descriptor and what its link in /proc/PID/fd says. */
export interface Descriptor extends LinkTarget {
  readonly fd: number;
}

/** A descriptor that stands for a path, as its mount namespace has it: of a container's process it is the container's. */
export type OpenFile = Descriptor;

/** Those of the descriptors that stand for a path. */
export function openFilesOf(descriptors: readonly Descriptor[]): OpenFile[] {
  return descriptors.filter(({ path }) => path.startsWith('/'));
}

/** Those of the descriptors that are sockets, with their inodes. */
export function socketsOf(descriptors: readonly Descriptor[]): [fd: number, inode: number][] {
  const sockets: [number, number][] = [];
  for (const { fd, path } of descriptors) {
    if (path.startsWith(SOCKET)) sockets.push([fd, Number.parseInt(path.slice(SOCKET.length), 10)]);
  }
  return sockets;
}

const SOCKET = 'socket:[';
