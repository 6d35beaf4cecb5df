import { readFileSync } from 'node:fs';

/**
 * How many descriptors this process may have open (RLIMIT_NOFILE, getrlimit(2)); 0 if that cannot be read, for example because
 * no descriptor is left.
 */
export function descriptorLimit(): number {
  try {
    const [, limit] = /^Max open files +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit ?? 0);
  } catch {
    return 0;
  }
}
