import { hostname } from 'node:os';
import type { HostSettings, SectionReader } from '../core/config.ts';
import { printable, quoted } from '../core/text/printable.ts';

/** Reads `[host]`; problems go to the reader. `ownName` is the kernel's name for this machine (gethostname(2)). */
export function parseHost(section: SectionReader, ownName: string = hostname()): HostSettings {
  return {
    name: shortText(section, 'name') ?? (printable(ownName) || 'localhost'),
    hostId: shortText(section, 'host_id'),
  };
}

/** A text that people read in the log and that is compared with values of a database: no character may be invisible. */
function shortText(section: SectionReader, key: string): string | undefined {
  const text = section.text(key);
  if (text === undefined || (Buffer.byteLength(text) <= MAX_BYTES && printable(text) === text)) return text;
  const got = text.length > MAX_SHOWN ? `(${Buffer.byteLength(text)} bytes)` : quoted(text);
  section.problem(key, `invalid value ${got}, expected at most ${MAX_BYTES} bytes without control or invisible characters`);
  return undefined;
}

const MAX_BYTES = 255;
const MAX_SHOWN = 60;
