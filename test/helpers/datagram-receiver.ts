import koffi from 'koffi';

/** A bound Unix datagram socket for tests: what sd_notify and syslog lines arrive at. Non-blocking. */
export interface DatagramReceiver {
  /** The next datagram; undefined where none is waiting. */
  receive(): Buffer | undefined;
  close(): void;
}

/** Binds `path` (`@NAME`: abstract). Throws where it cannot be bound. */
export function bindDatagrams(path: string): DatagramReceiver {
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int, int, int)');
  const bind = libc.func('int bind(int, const void *, uint32_t)');
  const recv = libc.func('long recv(int, void *, size_t, int)');
  const close = libc.func('int close(int)');
  const name = Buffer.from(`${path}\0`);
  const abstract = path.startsWith('@');
  if (abstract) name[0] = 0;
  const address = Buffer.concat([Buffer.from(new Uint16Array([1]).buffer), abstract ? name.subarray(0, -1) : name]);
  const fd = socket(1, 2 | 0o2000000, 0);
  if (bind(fd, address, address.length) !== 0) {
    close(fd);
    throw new Error(`bind ${path}: errno ${koffi.errno()}`);
  }
  const buffer = Buffer.alloc(1 << 18);
  return {
    receive: () => {
      const length = recv(fd, buffer, buffer.length, 0x40);
      return length < 0 ? undefined : Buffer.from(buffer.subarray(0, length));
    },
    close: () => close(fd),
  };
}
