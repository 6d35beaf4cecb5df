import type { RowDataPacket } from 'mysql2/promise';

/** How a private server is to be started. */
export interface MariadbOptions {
  /** Server options beside ours: `--read-only=1`. */
  readonly args?: readonly string[];
  /** Subject alternative names of the server's certificate, `IP:127.0.0.1`; without them the server has no TLS. */
  readonly tls?: readonly string[];
  /** Who runs it, where we are root; default root. Its socket is then that user's, in a folder of that user's. */
  readonly user?: string;
}

/** A private MariaDB or MySQL server: data folder, socket and loopback port of its own; root has no password. */
export interface Mariadb {
  readonly socket: string;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly dir: string;
  /** File of the authority that signed the server's certificate; undefined without TLS. */
  readonly ca: string | undefined;
  /** The server's process id; another one after `restart`. */
  readonly pid: number;
  /** Runs one or more statements as root, in `database` where named; the rows of the last one that has rows. */
  sql(statements: string, database?: string): Promise<RowDataPacket[]>;
  /** Runs a script with the mysql client, as an administrator does; its output. */
  script(file: string): string;
  /** SIGSTOP; resolves when every thread stands still. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its data, socket and port, with other `args` where given; ends it first where it still runs. */
  restart(args?: readonly string[]): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}
