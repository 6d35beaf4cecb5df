import type { OfflineOrders } from '../app/backends.ts';
import { ControlError } from '../control/exchange.ts';
import type { Refusal } from '../control/reply.ts';
import { askDaemon } from './ask-daemon.ts';
import type { Cli } from './context.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/**
 * Gives an order to the running daemon; if none runs, carries it out here and says so on stderr (`instead`: what is done then,
 * for people). Rejects with the error of either.
 */
export async function placeOrder<T>(cli: Cli, instead: string, order: (orders: OfflineOrders) => Promise<T>): Promise<T> {
  try {
    return await askDaemon(cli, order);
  } catch (error) {
    if (!(error instanceof ControlError && error.code === 'CONTROL_NOT_RUNNING')) throw error;
    cli.complain(`${error.message}; ${instead}`);
    const backends = await cli.backends();
    const { version, listenForSignals } = cli.io;
    return order(backends.offline(cli.configFile(), version, listenForSignals));
  }
}

/** Reports why an order was refused, and sets the exit code. */
export function refuse(cli: Cli, refusal: Refusal): void {
  for (const line of refusal.reason.split('\n')) cli.complain(line);
  cli.exitCode = REFUSAL_EXIT[refusal.code];
}

const REFUSAL_EXIT = {
  invalid: exitCodes.config,
  not_found: exitCodes.noSuchName,
  conflict: exitCodes.conflict,
  unavailable: exitCodes.unavailable,
  denied: exitCodes.permission,
} as const satisfies Record<Refusal['code'], ExitCode>;
