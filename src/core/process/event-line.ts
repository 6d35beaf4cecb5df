/**
 * A process event as clients get it: one JSON object a line. The keys of seed 002 keep its names and meanings (`exit_code` is the
 * raw wait status, `user` is `unknown` where it cannot be had); the others are ours. Fields that are not known are absent.
 */
export type EventLine =
  | ({ readonly event: 'fork'; readonly child_pid: number; readonly parent_pid: number; readonly user?: string } & EventContext)
  | ({ readonly event: 'exec'; readonly pid: number; readonly user: string; readonly cmdline: string } & EventContext)
  | ({
      readonly event: 'exit';
      readonly pid: number;
      readonly exit_code: number;
      readonly user: string;
      /** Where it ended by itself, 0 to 255. */
      readonly exit_status?: number;
      /** `SIGSEGV`, where a signal ended it. */
      readonly signal?: string;
      readonly core_dumped?: boolean;
      /** Milliseconds that it has lived, where its beginning is known. */
      readonly lifetime_ms?: number;
    } & EventContext)
  | ({
      readonly event: 'uid' | 'gid';
      readonly pid: number;
      readonly user: string;
      readonly real: number;
      readonly effective: number;
    } & EventContext)
  | ({ readonly event: 'sid' | 'coredump'; readonly pid: number; readonly user: string } & EventContext)
  | ({ readonly event: 'ptrace'; readonly pid: number; readonly user: string; readonly tracer_pid: number } & EventContext)
  | ({ readonly event: 'comm'; readonly pid: number; readonly user: string } & EventContext)
  /** So many events did not come through: the kernel lost them, or this client was too slow. */
  | { readonly event: 'lost'; readonly count: number; readonly time: string };

interface EventContext {
  /** ISO 8601, to the millisecond. */
  readonly time: string;
  /** The process's name, at most 15 bytes. */
  readonly comm?: string;
  readonly ppid?: number;
  /** The watched process of the configuration that it belongs to. */
  readonly monitored?: string;
}

/** Where a daemon streams events to whose configuration says nothing else. */
export const DEFAULT_EVENT_SOCKET = '/run/monitor_service/events.sock';
