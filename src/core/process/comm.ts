/** What the kernel keeps of a process's name: TASK_COMM_LEN less the closing zero (proc_pid_comm(5)). */
export const COMM_BYTES = 15;

/** A name as the kernel cuts it. A character that the cut goes through becomes the same mark as in what is read from /proc. */
export function cutName(name: string): string {
  return Buffer.byteLength(name) <= COMM_BYTES ? name : Buffer.from(name).subarray(0, COMM_BYTES).toString();
}

/** What stands after the last `/` of a path. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
