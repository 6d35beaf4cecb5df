import { LoopPause } from '../../core/loop-pause.ts';
import { type HostAddress, hostAddress } from './address.ts';
import { readPieces } from './read-pieces.ts';

/** Where the names stand that a machine knows by itself. */
const HOSTS_FILE = '/etc/hosts';

/**
 * The addresses that the file has for `name` (in small letters, without a dot at its end), of all lines, in their order; [] where there
 * are none. The file is read anew, its first 16 MiB; lines that are none are passed over. Never rejects. Source: hosts(5).
 */
export async function addressesInHosts(name: string, path: string = HOSTS_FILE): Promise<HostAddress[]> {
  const found: HostAddress[] = [];
  const pause = new LoopPause();
  let begun = '';
  for (const piece of readPieces(path, MOST_BYTES)) {
    const text = begun + piece.toLowerCase();
    const end = text.lastIndexOf('\n') + 1;
    takeLines(text.slice(0, end), name, found);
    // A line without end is none.
    begun = text.length - end > LONGEST_LINE ? '' : text.slice(end);
    // A list of what is to be blocked has megabytes.
    if (pause.isDue) await pause.take();
  }
  takeLines(begun, name, found);
  return found;
}

const MOST_BYTES = 16 * 1024 * 1024;
const LONGEST_LINE = 64 * 1024;

function takeLines(text: string, name: string, found: HostAddress[]): void {
  // Mostly the name does not stand there, and then no line is looked at.
  for (let at = text.indexOf(name); at >= 0 && found.length < MOST_FOUND; at = text.indexOf(name, at)) {
    const start = text.lastIndexOf('\n', at) + 1;
    const end = text.indexOf('\n', at);
    at = end < 0 ? text.length : end;
    const address = addressOn(text.slice(start, at), name);
    if (address !== undefined) found.push(address);
  }
}

const MOST_FOUND = 1000;

/** The line's address, where `name` is one of its names. */
function addressOn(line: string, name: string): HostAddress | undefined {
  const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
  return names.includes(name) || names.includes(`${name}.`) ? hostAddress(address) : undefined;
}
