import { writeFileSync } from 'node:fs';

/**
 * Gives this process the name that ps(1), top(1), pgrep(1) and systemctl(1) show: its first 15 bytes count. The command line stays as it
 * is, unlike with process.title. Comes to why it cannot be done, in one line; undefined if it was. Source: proc_pid_comm(5).
 */
export function nameThisProcess(name: string): string | undefined {
  try {
    // That of the main thread, whichever thread writes it.
    writeFileSync('/proc/self/comm', name);
    return undefined;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
