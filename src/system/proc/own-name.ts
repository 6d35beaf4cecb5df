import { writeFileSync } from 'node:fs';

/**
 * Sets the name of this process that ps(1), top(1), pgrep(1) and systemctl(1) show: its first 15 bytes count. The command line
 * stays as it is, unlike with process.title. Returns the reason in one line if it fails; undefined if it succeeded. Source:
 * proc_pid_comm(5).
 */
export function nameThisProcess(name: string): string | undefined {
  try {
    // This sets the main thread's name, whichever thread writes it.
    writeFileSync('/proc/self/comm', name);
    return undefined;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
