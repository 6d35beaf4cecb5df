#!/usr/bin/env -S node --disable-sigusr1
import { writeSync } from 'node:fs';
import { runCli } from './cli/cli.ts';
import { describeFailure } from './cli/failure.ts';
import { listenForSignals } from './cli/process-signals.ts';
import { askOn } from './cli/terminal/ask.ts';
import { printable } from './core/text/printable.ts';
import { forbidDumps } from './system/native/dumps.ts';
import { nameThisProcess } from './system/proc/own-name.ts';

/** A bug: one line, and the supervisor decides. What was under way stands in the journal and is settled at the next start. */
function fail(error: unknown): never {
  const { exitCode, lines } = describeFailure(error);
  try {
    writeSync(2, lines.map((line) => `${printable(line)}\n`).join(''));
  } catch {
    // Nobody reads it.
  }
  process.exit(exitCode);
}

// Node would open its debugger, to every user of the machine, where somebody started us without --disable-sigusr1.
process.on('SIGUSR1', () => {});
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

// Every command reads the configuration with its passwords. Those that keep running say why where this could not be done.
forbidDumps();

// By which name a daemon's log tells who gave an order; the daemon takes its own, so that nothing else is found under that.
nameThisProcess('monitor_client');

const exitCode = await runCli(
  process.argv.slice(2),
  {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    ask: process.stdin.isTTY && process.stdout.isTTY ? (question) => askOn(process.stdin, process.stdout, question) : undefined,
    isRoot: process.geteuid?.() === 0,
    // The bundle has the package's version in its place.
    version: process.env.MONITOR_SERVICE_VERSION ?? 'development',
    listenForSignals: () => listenForSignals(process),
  },
  async () => (await import('./app/cli-backends.ts')).cliBackends,
);
process.exit(exitCode);
