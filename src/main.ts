#!/usr/bin/env -S node --disable-sigusr1
// The entry of the process: arguments, signals and exit code.
import { writeSync } from 'node:fs';
import { runCli } from './cli/cli.ts';
import { describeFailure } from './cli/failure.ts';
import { listenForSignals } from './cli/process-signals.ts';
import { askOn } from './cli/terminal/ask.ts';
import { printable } from './core/text/printable.ts';
import { forbidDumps } from './system/native/dumps.ts';
import { nameThisProcess } from './system/proc/own-name.ts';

/**
 * Ends the process after a bug, with one line; systemd restarts it. The journal has interrupted runs, which the next start
 * handles.
 */
function fail(error: unknown): never {
  const { exitCode, lines } = describeFailure(error);
  try {
    writeSync(2, lines.map((line) => `${printable(line)}\n`).join(''));
  } catch {
    // Nobody reads stderr.
  }
  process.exit(exitCode);
}

// If somebody started us without --disable-sigusr1, Node would open its debugger to every user of the machine.
process.on('SIGUSR1', () => {});
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

// Every command reads the configuration with its passwords. Commands that keep running report if this failed.
forbidDumps();

// The daemon logs orders with this name of the client. The daemon has a different name, so that `pgrep` finds only the daemon.
nameThisProcess('monitor_client');

const exitCode = await runCli(
  process.argv.slice(2),
  {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    ask: process.stdin.isTTY && process.stdout.isTTY ? (question) => askOn(process.stdin, process.stdout, question) : undefined,
    isRoot: process.geteuid?.() === 0,
    // The bundler replaces this with the version of the package.
    version: process.env.MONITOR_SERVICE_VERSION ?? 'development',
    listenForSignals: () => listenForSignals(process),
  },
  async () => (await import('./app/cli-backends.ts')).cliBackends,
);
process.exit(exitCode);
