/** Of socket(2), the same on every architecture that Node runs on. */
export const AF_UNIX = 1;
export const SOCK_CLOEXEC = 0o2000000;

/** sockaddr_un; undefined where `path` does not fit. An abstract address is not NUL-terminated: its length counts. */
export function socketAddress(path: string): Buffer | undefined {
  const name = Buffer.from(path);
  if (name.length === 0 || name.length > MAX_SOCKET_PATH || name.includes(0)) return undefined;
  const family = Buffer.from(new Uint16Array([AF_UNIX]).buffer);
  if (name[0] === '@'.charCodeAt(0)) name[0] = 0;
  return Buffer.concat([family, name, name[0] === 0 ? Buffer.alloc(0) : Buffer.alloc(1)]);
}

const MAX_SOCKET_PATH = 107;
