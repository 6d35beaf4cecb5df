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
  /** Puts a question to a person; true for yes. Absent where nobody sits at a terminal. */
  readonly ask?: ((question: string) => Promise<boolean>) | undefined;
  readonly version: string;
  /** Starts to listen for the daemon's signals; until it is called they have their default meaning. */
  readonly listenForSignals: () => DaemonSignals;
}

/** What every command works with. */
export interface Cli {
  readonly io: CliIo;
  readonly out: Output;
  readonly err: Output;
  /** `--config`, once the arguments are parsed. */
  configOption: () => string | undefined;
  /** What a command sets when it has not simply succeeded. */
  exitCode: ExitCode;
  readonly backends: () => Promise<CliBackends>;
  readonly configChoice: () => ConfigChoice;
  readonly configFile: () => string;
  /** One line on stdout, made printable. */
  readonly say: (line: string) => void;
  /** One line on stderr, made printable, with our name before it. */
  readonly complain: (line: string) => void;
}

/** A context whose arguments are still to be parsed. */
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
