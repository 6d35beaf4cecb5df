import { withoutDeleted } from './proc-parse.ts';

/** An open descriptor and what its link in /proc/PID/fd says: a path, `socket:[INODE]`, `pipe:[INODE]`, `anon_inode:…`. */
export interface Descriptor {
  readonly fd: number;
  readonly target: string;
}

/** A descriptor that stands for a path, as seen from the process's own root. */
export interface OpenFile {
  readonly fd: number;
  readonly path: string;
  /** The file has been removed or replaced since, and takes its space until it is closed. */
  readonly deleted: boolean;
}

/** Those of the descriptors that stand for a path. */
export function openFilesOf(descriptors: readonly Descriptor[]): OpenFile[] {
  const files: OpenFile[] = [];
  for (const { fd, target } of descriptors) {
    if (!target.startsWith('/')) continue;
    const path = withoutDeleted(target);
    files.push({ fd, path, deleted: path !== target });
  }
  return files;
}

/** Those of the descriptors that are sockets, with their inodes. */
export function socketsOf(descriptors: readonly Descriptor[]): [fd: number, inode: number][] {
  const sockets: [number, number][] = [];
  for (const { fd, target } of descriptors) {
    if (target.startsWith(SOCKET)) sockets.push([fd, Number.parseInt(target.slice(SOCKET.length), 10)]);
  }
  return sockets;
}

const SOCKET = 'socket:[';
