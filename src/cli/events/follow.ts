// Shows events until Ctrl-C.
import type { DaemonSignals } from '../../app/daemon.ts';
import type { ProcessEventType } from '../../core/process/event.ts';
import type { ClientFilter } from '../../stream/filter.ts';
import type { Cli } from '../context.ts';
import { daemonUsers } from '../control-address.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type EventAddress, eventAddressName } from './address.ts';
import { followStream } from './client.ts';
import { eventRequest } from './filter.ts';
import { EventPrinter } from './printer.ts';
import type { StreamEnd } from './stream-end.ts';

/** What is shown, and how. */
interface ViewOptions {
  readonly filter: ClientFilter;
  readonly json: boolean;
}

/** Shows the events of a server until Ctrl-C, and then a summary; sets the exit code if the server ended the stream. */
export async function showStream(
  cli: Cli,
  address: EventAddress,
  password: string | undefined,
  { filter, json }: ViewOptions,
): Promise<void> {
  const printer = new EventPrinter(cli, filter, json);
  const stopping = new AbortController();
  const signals = viewerSignals(cli);
  signals.onStop(() => stopping.abort());
  const started = performance.now();
  const end = await followStream({
    address,
    password,
    trustedUsers: () => daemonUsers(cli.configChoice()),
    request: eventRequest(filter),
    stopping: stopping.signal,
    onOpen: () => {
      if (cli.err.terminal !== undefined) cli.complain(`following ${eventAddressName(address)}; Ctrl-C ends it`);
    },
    onLines: async (lines, skipped) => {
      await printer.printText(lines, skipped);
      // Nobody reads our output: runCli chooses the exit code.
      if (cli.out.fault !== undefined) stopping.abort();
    },
  });
  if (end.kind === 'unreachable' && end.nobody) {
    const { whyNobodyListens } = await import('./nobody-listens.ts');
    const why = await whyNobodyListens(cli, address);
    cli.complain(why === undefined ? end.reason : `nobody listens on ${eventAddressName(address)}: ${why}`);
    cli.exitCode = exitCodes.unavailable;
    return;
  }
  reportEnd(cli, end, printer, performance.now() - started);
}

function reportEnd(cli: Cli, end: StreamEnd, printer: EventPrinter, elapsedMs: number): void {
  if (end.kind === 'stopped') {
    printer.printSummary(elapsedMs);
    return;
  }
  // A full server sends a line about that, and closes the connection.
  if (end.kind === 'closed' && printer.received === 0 && printer.lastUnread !== '') {
    cli.complain(`${end.reason}: ${printer.lastUnread.slice(0, LONGEST_REMARK)}`);
    cli.exitCode = exitCodes.conflict;
    return;
  }
  const came = end.kind === 'closed' ? `; until then ${printer.tally.words(elapsedMs)}` : '';
  cli.complain(`${end.reason}${came}`);
  cli.exitCode = EXIT_CODES[end.kind];
}

const LONGEST_REMARK = 200;

const EXIT_CODES = {
  unreachable: exitCodes.unavailable,
  closed: exitCodes.unavailable,
  forbidden: exitCodes.permission,
} as const satisfies Record<Exclude<StreamEnd['kind'], 'stopped'>, ExitCode>;

/** Shows the kernel's events, without a server, until Ctrl-C, and then a summary. */
export async function showKernelEvents(
  cli: Cli,
  types: ReadonlySet<ProcessEventType>,
  { filter, json }: ViewOptions,
): Promise<void> {
  const printer = new EventPrinter(cli, filter, json);
  const signals = viewerSignals(cli);
  const { followEvents } = await cli.backends();
  const stopping = new AbortController();
  const started = performance.now();
  const end = await followEvents({
    types,
    signals: {
      ...signals,
      onStop: (handler) => {
        signals.onStop(handler);
        stopping.signal.addEventListener('abort', handler, { once: true });
      },
    },
    onLines: (lines) => {
      printer.printLines(lines);
      if (cli.out.fault !== undefined) stopping.abort();
    },
  });
  if (end.kind === 'unavailable') {
    cli.complain(end.reason);
    cli.exitCode = exitCodes.unavailable;
    return;
  }
  // For the events that the kernel lost at the very end there may be no line.
  printer.tally.lost = Math.max(printer.tally.lost, end.lost);
  printer.printSummary(performance.now() - started);
}

/**
 * The signals for a command that shows events: closing the terminal stops it too; a second Ctrl-C does not wait for the reader.
 */
function viewerSignals(cli: Cli): DaemonSignals {
  const signals = cli.io.listenForSignals();
  signals.onAbort(() => {
    cli.out.giveUp();
    cli.err.giveUp();
  });
  return {
    onStop: (handler) => {
      signals.onStop(handler);
      signals.onReload(handler);
    },
    onAbort: (handler) => signals.onAbort(handler),
    onReload: () => {},
  };
}
