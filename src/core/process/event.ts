// Process events as the kernel reports them.
/**
 * What the kernel reports about processes. It does not report threads: an event is about a process's first thread. `at` is the
 * kernel's time of the event, in milliseconds of the epoch with a fraction. Source: linux/cn_proc.h (the proc connector).
 */
export type ProcessEvent =
  /** `pid` is the new process. */
  | { readonly type: 'fork'; readonly at: number; readonly pid: number; readonly parentPid: number }
  | { readonly type: 'exec'; readonly at: number; readonly pid: number }
  /** `status` as in wait(2), unparsed; `parentPid` is 0 if the kernel does not report it (before 4.18). */
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
  /** At least this many events were not received: what is known about processes has to be read again. */
  | { readonly type: 'lost'; readonly at: number; readonly count: number };

/** The types that clients can ask for, in the order of the documentation. Every client gets `lost`. */
export const processEventTypes = ['exec', 'exit', 'fork', 'uid', 'gid', 'sid', 'ptrace', 'comm', 'coredump'] as const;
export type ProcessEventType = (typeof processEventTypes)[number];
