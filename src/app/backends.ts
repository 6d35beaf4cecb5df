import type { OrdersWithoutDaemon } from '../control/orders.ts';
import type { ConfigProblem, StoreFault } from '../core/errors.ts';
import type { ProcessEventType } from '../core/process/event.ts';
import type { EventLine } from '../core/process/event-line.ts';
import type { StoreReport } from '../stores/store.ts';
import type { DaemonSignals } from './daemon.ts';

/**
 * What the command line does if no daemon answers. The methods are loaded only when one of them is needed. They throw
 * ConfigError (configuration), StoreError (store), StateHeldError (another daemon holds the state_dir) and SocketFileError.
 */
export interface CliBackends {
  /** Runs the daemon; resolves when it has ended in order. */
  runDaemon(options: {
    readonly configFile: string;
    readonly verbose: boolean;
    readonly version: string;
    readonly signals: DaemonSignals;
  }): Promise<void>;
  /** Runs the demo; resolves when it was stopped and has cleaned up. */
  runDemo(options: {
    readonly version: string;
    readonly signals: DaemonSignals;
    readonly say: (line: string) => void;
  }): Promise<void>;
  /**
   * Reads the kernel's process events, without the daemon, until `signals` says to stop. `received` and `lost` count the events
   * that the kernel delivered and those that it could not deliver. `unavailable`: there are no events here; `reason` says why
   * in one line.
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
   * Serves the event stream alone, without the monitor, on `socket`, `tcp` or both, until `signals` says to stop. `auth`: the
   * password of TCP clients; `clients`: how many at once; `say`: takes lines for the user who started it.
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
  /** Checks a configuration file; with `database` also asks its store. Problems are in the report, not thrown. */
  checkConfig(configFile: string, options: { readonly database: boolean }): Promise<CheckReport>;
  /**
   * The orders as they are carried out while no daemon runs. Nothing is opened before an order is given. An order that runs
   * commands calls `listenForSignals`: from then on the first signal aborts it in order.
   */
  offline(configFile: string, version: string, listenForSignals: () => DaemonSignals): OfflineOrders;
}

/**
 * The orders that the command line itself carries out, as the order table says; each opens what it needs and closes it again.
 * - those that only look (and `alarm`, if it has to) read store and state without the lock of state_dir; `status` has pid 0
 * - the others take the lock, and throw a StateHeldError if a daemon runs after all
 */
export type OfflineOrders = OrdersWithoutDaemon<'look' | 'place' | 'own'>;

/** What `check-config` prints. */
export interface CheckReport {
  readonly file: string;
  /** Errors and warnings by line. */
  readonly problems: readonly ConfigProblem[];
  /** How many errors there are in all, including those that `problems` only counts as "more". */
  readonly errors: number;
  readonly warnings: number;
  /** false: the daemon would not start with this file. */
  readonly usable: boolean;
  /** Names with their own section; [] if the file cannot be used. */
  readonly processNames: readonly string[];
  /** Those of them that an error in their own section switches off; [] if the file cannot be used. */
  readonly refused: readonly string[];
  /** How exits of processes would be noticed here; null if none is watched. */
  readonly watchExit: string | null;
  /** The rule for processes without a section, in one line; null or absent if there is none to mention. */
  readonly unnamed?: string | null;
  /** null if it was not asked for, or the file does not say which database it is. */
  readonly database: DatabaseReport | null;
}

/** Names of the database that have no section and would not be restarted; `unseen`: how many more were not examined. */
export interface LeftAlone {
  readonly processes: readonly { readonly name: string; readonly reason: string }[];
  readonly unseen: number;
}

/** What the store reports; `unmatched`: names with a section and no row; `unseen`: names with invisible characters. */
export type DatabaseReport =
  | {
      readonly kind: 'ok';
      readonly description: string;
      readonly report: StoreReport;
      readonly unmatched: readonly string[];
      readonly leftAlone?: LeftAlone;
      /** `holds`: the invisible code points, `U+200B, U+3164`. Absent if there is none. */
      readonly unseen?: readonly { readonly name: string; readonly holds: string }[];
      /**
       * Names that differ from a section's only by blanks or letter case, so that it does not apply to them. Absent if there is
       * none.
       */
      readonly near?: readonly { readonly name: string; readonly section: string }[];
    }
  /** `reason` names the server and never holds a password. */
  | { readonly kind: 'failed'; readonly description: string; readonly reason: string; readonly fault: StoreFault };
