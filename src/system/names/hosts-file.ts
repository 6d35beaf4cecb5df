// Looks up names in the hosts file.

import { LoopPause } from '../../core/loop-pause.ts';
import { type HostAddress, hostAddress } from './address.ts';
import { readPieces } from './read-pieces.ts';

/** Where the machine's own list of names is. */
const HOSTS_FILE = '/etc/hosts';

/**
 * Returns the addresses that the file has for `name` (in lower case, without a dot at its end), from all lines, in order; [] if
 * there are none. Reads the file at each call, its first 16 MiB. Invalid lines are ignored. Never rejects. Source: hosts(5).
 */
export async function addressesInHosts(name: string, path: string = HOSTS_FILE): Promise<HostAddress[]> {
  const found: HostAddress[] = [];
  const pause = new LoopPause();
  let begun = '';
  for (const piece of readPieces(path, MOST_BYTES)) {
    const text = begun + piece.toLowerCase();
    const end = text.lastIndexOf('\n') + 1;
    takeLines(text.slice(0, end), name, found);
    // A line that long is not a valid line.
    begun = text.length - end > LONGEST_LINE ? '' : text.slice(end);
    // A list of blocked names has megabytes.
    if (pause.isDue) await pause.take();
  }
  takeLines(begun, name, found);
  return found;
}

const MOST_BYTES = 16 * 1024 * 1024;
const LONGEST_LINE = 64 * 1024;

function takeLines(text: string, name: string, found: HostAddress[]): void {
  // Usually the name is not in the file, and then no line is parsed.
  for (let at = text.indexOf(name); at >= 0 && found.length < MOST_FOUND; at = text.indexOf(name, at)) {
    const start = text.lastIndexOf('\n', at) + 1;
    const end = text.indexOf('\n', at);
    at = end < 0 ? text.length : end;
    const address = addressOn(text.slice(start, at), name);
    if (address !== undefined) found.push(address);
  }
}

const MOST_FOUND = 1000;

/** Returns the line's address if `name` is one of its names. */
function addressOn(line: string, name: string): HostAddress | undefined {
  const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
  return names.includes(name) || names.includes(`${name}.`) ? hostAddress(address) : undefined;
}
