import type { OrdersWithoutDaemon } from '../control/orders.ts';
import type { ConfigProblem, StoreFault } from '../core/errors.ts';
import type { ProcessEventType } from '../core/process/event.ts';
import type { EventLine } from '../core/process/event-line.ts';
import type { StoreReport } from '../stores/store.ts';
import type { DaemonSignals } from './daemon.ts';

/**
 * What the command line does without a daemon that answers. Loaded only when one of them is needed. They throw ConfigError
 * (configuration), StoreError (store), StateHeldError (another daemon has the state_dir) and SocketFileError.
 */
export interface CliBackends {
  /** The daemon; resolves when it has ended in order. */
  runDaemon(options: {
    readonly configFile: string;
    readonly verbose: boolean;
    readonly version: string;
    readonly signals: DaemonSignals;
  }): Promise<void>;
  /** The demo; resolves when it was stopped and has cleaned up. */
  runDemo(options: {
    readonly version: string;
    readonly signals: DaemonSignals;
    readonly say: (line: string) => void;
  }): Promise<void>;
  /**
   * The kernel's process events, without the daemon, until `signals` says to stop. `received` and `lost` count what the kernel
   * told and what it could not deliver. `unavailable`: they cannot be had here, in one line.
   */
  followEvents(options: {
    readonly types: ReadonlySet<ProcessEventType>;
    readonly signals: DaemonSignals;
    readonly onLines: (lines: readonly EventLine[]) => void;
  }): Promise<
    | { readonly kind: 'ended'; readonly received: number; readonly lost: number }
    | { readonly kind: 'unavailable'; readonly reason: string }
  >;
  /**
   * The event stream alone, without the monitor, on `socket`, `tcp` or both, until `signals` says to stop. `auth`: the password
   * of TCP clients; `clients`: how many at once; `say`: lines for who started it.
   */
  serveEvents(options: {
    readonly types: ReadonlySet<ProcessEventType>;
    readonly socket: string | undefined;
    readonly tcp: { readonly host: string; readonly port: number } | undefined;
    readonly auth: string | undefined;
    readonly clients: number;
    readonly signals: DaemonSignals;
    readonly say: (line: string) => void;
  }): Promise<{ readonly kind: 'ended' } | { readonly kind: 'unavailable'; readonly reason: string }>;
  /** Judges a configuration file; with `database` also asks its store. What is wrong is in the report, not thrown. */
  checkConfig(configFile: string, options: { readonly database: boolean }): Promise<CheckReport>;
  /**
   * The orders as they are carried out while no daemon runs. Opens nothing before one is given. One that runs commands calls
   * `listenForSignals`: from then on the first signal is its abort in order.
   */
  offline(configFile: string, version: string, listenForSignals: () => DaemonSignals): OfflineOrders;
}

/**
 * Orders carried out by the command line itself, as the order table says; each opens what it needs and closes it again.
 * - those that only look (and `alarm`, if it has to) do so at store and state without the state_dir's lock; `status` has pid 0
 * - the others take the lock: a StateHeldError where a daemon runs after all
 */
export type OfflineOrders = OrdersWithoutDaemon<'look' | 'place' | 'own'>;

/** What `check-config` prints. */
export interface CheckReport {
  readonly file: string;
  /** Errors and warnings by line. */
  readonly problems: readonly ConfigProblem[];
  /** How many there are, with those of which `problems` only says how many more. */
  readonly errors: number;
  readonly warnings: number;
  /** False: the daemon would not start with this file. */
  readonly usable: boolean;
  /** Names with a section of their own; [] where the file cannot be used. */
  readonly processNames: readonly string[];
  /** Those of them that an error of their own section switches off; [] if the file cannot be used. */
  readonly refused: readonly string[];
  /** By which means the ends of processes would be noticed from here; null where none is watched. */
  readonly watchExit: string | null;
  /** What holds for processes without a section, in one line; null or absent if there is nothing to say. */
  readonly unnamed?: string | null;
  /** null where it was not asked for, or the file does not say which it is. */
  readonly database: DatabaseReport | null;
}

/** Names of the database that have no section and would not be restarted; `unseen`: how many more were not looked at. */
export interface LeftAlone {
  readonly processes: readonly { readonly name: string; readonly reason: string }[];
  readonly unseen: number;
}

/** What the store says of itself; `unmatched`: names with a section and no row; `unseen`: names that are not what they look like. */
export type DatabaseReport =
  | {
      readonly kind: 'ok';
      readonly description: string;
      readonly report: StoreReport;
      readonly unmatched: readonly string[];
      readonly leftAlone?: LeftAlone;
      /** `holds`: the code points that no one sees, `U+200B, U+3164`. Absent where there is none. */
      readonly unseen?: readonly { readonly name: string; readonly holds: string }[];
      /** Names that differ from that of a section by blanks or letter case alone: it does not hold for them. Absent where there is none. */
      readonly near?: readonly { readonly name: string; readonly section: string }[];
    }
  /** `reason` names the server and never holds a password. */
  | { readonly kind: 'failed'; readonly description: string; readonly reason: string; readonly fault: StoreFault };
