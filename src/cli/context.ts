import type { CliBackends } from '../app/backends.ts';
import type { DaemonSignals } from '../app/daemon.ts';
import { printable } from '../core/text/printable.ts';
import { type ConfigChoice, chosenConfig } from './control-address.ts';
import type { ExitCode } from './exit-codes.ts';
import { createOutput, type Output, type TextStream } from './terminal/output.ts';

/** The process's surroundings, as main.ts gives them. */
export interface CliIo {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  /** Asks the user a question; true for yes. Absent if there is no terminal. */
  readonly ask?: ((question: string) => Promise<boolean>) | undefined;
  readonly version: string;
  /** Starts to listen for the daemon's signals; until it is called they have their default meaning. */
  readonly listenForSignals: () => DaemonSignals;
}

/** What every command uses. */
export interface Cli {
  readonly io: CliIo;
  readonly out: Output;
  readonly err: Output;
  /** `--config`, once the arguments are parsed. */
  configOption: () => string | undefined;
  /** A command sets it if it did not simply succeed. */
  exitCode: ExitCode;
  readonly backends: () => Promise<CliBackends>;
  readonly configChoice: () => ConfigChoice;
  readonly configFile: () => string;
  /** Writes one line to stdout, made printable. */
  readonly say: (line: string) => void;
  /** Writes one line to stderr, made printable, with our name before it. */
  readonly complain: (line: string) => void;
}

/** Creates a context whose arguments are not parsed yet. */
export function createCli(io: CliIo, loadBackends: () => Promise<CliBackends>): Cli {
  const out = createOutput(io.stdout, io.env);
  const err = createOutput(io.stderr, io.env);
  const cli: Cli = {
    io,
    out,
    err,
    configOption: () => undefined,
    exitCode: 0,
    backends: loadBackends,
    configChoice: () => ({ option: cli.configOption(), env: io.env, isRoot: io.isRoot }),
    configFile: () => chosenConfig(cli.configChoice()),
    say: (line) => out.write(`${printable(line)}\n`),
    complain: (line) => err.write(`monitor_service: ${printable(line)}\n`),
  };
  return cli;
}
