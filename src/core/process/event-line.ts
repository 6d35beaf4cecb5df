// The lines of the event stream.
/**
 * A process event as clients get it: one JSON object per line. The keys of the procMonitor protocol keep its names and meanings
 * (`exit_code` is the raw wait status, `user` is `unknown` if it cannot be determined); the others are ours. Unknown fields are
 * absent.
 */
export type EventLine =
  | ({ readonly event: 'fork'; readonly child_pid: number; readonly parent_pid: number; readonly user?: string } & EventContext)
  | ({ readonly event: 'exec'; readonly pid: number; readonly user: string; readonly cmdline: string } & EventContext)
  | ({
      readonly event: 'exit';
      readonly pid: number;
      readonly exit_code: number;
      readonly user: string;
      /** If the process exited by itself, 0 to 255. */
      readonly exit_status?: number;
      /** If a signal ended it: `SIGSEGV`. */
      readonly signal?: string;
      readonly core_dumped?: boolean;
      /** How many milliseconds it lived, if its beginning is known. */
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
  /** This many events are missing: the kernel lost them, or this client was too slow. */
  | { readonly event: 'lost'; readonly count: number; readonly time: string };

interface EventContext {
  /** ISO 8601, to the millisecond. */
  readonly time: string;
  /** The process's name, at most 15 bytes. */
  readonly comm?: string;
  readonly ppid?: number;
  /** The watched process of the configuration to which it belongs. */
  readonly monitored?: string;
}

/** The socket of the daemon's event stream, unless the configuration names another. */
export const DEFAULT_EVENT_SOCKET = '/run/monitor_service/events.sock';
