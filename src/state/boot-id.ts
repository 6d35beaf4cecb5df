import { readFileSync } from 'node:fs';

/** The identity of this boot (random(4)); empty if the kernel does not provide it. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
