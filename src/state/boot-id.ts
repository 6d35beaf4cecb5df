import { readFileSync } from 'node:fs';

/** The identity of this boot (random(4)); empty where the kernel does not say. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
