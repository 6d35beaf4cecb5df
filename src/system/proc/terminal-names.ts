import { readFileSync } from 'node:fs';

/** Names of terminals by their device number, as in ps(1): `pts/3`, `tty1`, `ttyS0`. Each is looked up once. */
export class TerminalNames {
  readonly #names = new Map<number, string | undefined>();

  /** The name of `device`, field tty_nr of proc_pid_stat(5); undefined for 0, which is not a terminal, and for unknown ones. */
  name(device: number): string | undefined {
    if (device === 0) return undefined;
    if (!this.#names.has(device)) this.#names.set(device, lookUp(device));
    return this.#names.get(device);
  }
}

function lookUp(device: number): string | undefined {
  // As the kernel encodes it: minor bits 0-7 and 20-31, major bits 8-19.
  const [major, minor] = [(device >>> 8) & 0xfff, (device & 0xff) | ((device >>> 12) & 0xf_ff00)];
  if (major >= FIRST_PTS_MAJOR && major <= LAST_PTS_MAJOR) return `pts/${(major - FIRST_PTS_MAJOR) * 256 + minor}`;
  try {
    const event = readFileSync(`/sys/dev/char/${major}:${minor}/uevent`, 'utf8');
    return /^DEVNAME=(.+)$/m.exec(event)?.[1];
  } catch {
    return undefined;
  }
}

/** Unix98 pseudo-terminals, which are not in sysfs (devices.txt). */
const FIRST_PTS_MAJOR = 136;
const LAST_PTS_MAJOR = 143;
