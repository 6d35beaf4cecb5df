/**
 * What the kernel tells of processes. Threads are not told of: a process is told of by its first thread. `at` is the kernel's
 * time of it, milliseconds of the epoch with a fraction. Source: linux/cn_proc.h (the proc connector).
 */
export type ProcessEvent =
  /** `pid` is the new process. */
  | { readonly type: 'fork'; readonly at: number; readonly pid: number; readonly parentPid: number }
  | { readonly type: 'exec'; readonly at: number; readonly pid: number }
  /** `status` as wait(2) gives it, unparsed; `parentPid` 0 where the kernel does not say (before 4.18). */
  | {
      readonly type: 'exit';
      readonly at: number;
      readonly pid: number;
      readonly parentPid: number;
      readonly status: number;
    }
  | {
      readonly type: 'uid' | 'gid';
      readonly at: number;
      readonly pid: number;
      readonly real: number;
      readonly effective: number;
    }
  | { readonly type: 'sid'; readonly at: number; readonly pid: number }
  /** `tracerPid` 0: it is no longer traced. */
  | { readonly type: 'ptrace'; readonly at: number; readonly pid: number; readonly tracerPid: number }
  /** `name`: its new name, at most 15 bytes, as the process wrote it. */
  | { readonly type: 'comm'; readonly at: number; readonly pid: number; readonly name: string }
  | { readonly type: 'coredump'; readonly at: number; readonly pid: number; readonly parentPid: number }
  /** So many events at least were not received: what is known of processes has to be looked up again. */
  | { readonly type: 'lost'; readonly at: number; readonly count: number };

/** The kinds that can be asked for, in the order they are told in the documents. `lost` is told to everyone. */
export const processEventTypes = ['exec', 'exit', 'fork', 'uid', 'gid', 'sid', 'ptrace', 'comm', 'coredump'] as const;
export type ProcessEventType = (typeof processEventTypes)[number];
