// Process names as the kernel stores them.
/** How many bytes of a process's name the kernel keeps: TASK_COMM_LEN without the closing zero (proc_pid_comm(5)). */
export const COMM_BYTES = 15;

/**
 * A name as the kernel cuts it. A character that is cut in two becomes the same replacement character as in text read from
 * /proc.
 */
export function cutName(name: string): string {
  return Buffer.byteLength(name) <= COMM_BYTES ? name : Buffer.from(name).subarray(0, COMM_BYTES).toString();
}

/** The part after the last `/` of a path. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
