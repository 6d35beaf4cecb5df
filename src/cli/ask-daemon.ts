import { createControlClient } from '../control/client.ts';
import { ControlError } from '../control/exchange.ts';
import type { OrderClient } from '../control/orders.ts';
import { lookForHolder } from '../state/holder.ts';
import type { Cli } from './context.ts';
import { controlSocket, stateDir } from './control-address.ts';

/**
 * Asks the daemon that runs with the chosen configuration. Rejects with a ControlError; `CONTROL_NOT_RUNNING` only if no daemon
 * holds its state_dir either.
 */
export async function askDaemon<T>(cli: Cli, ask: (daemon: OrderClient) => Promise<T>): Promise<T> {
  const choice = cli.configChoice();
  const socket = controlSocket(choice);
  try {
    return await ask(createControlClient(socket));
  } catch (error) {
    if (!(error instanceof ControlError && error.code === 'CONTROL_NOT_RUNNING')) throw error;
    throw whyNobodyAnswers(error, socket, stateDir(choice));
  }
}

function whyNobodyAnswers(error: ControlError, socket: string, dir: string): ControlError {
  const holder = lookForHolder(dir);
  const { stranger } = error;
  switch (holder.kind) {
    case 'runs':
      // A command that carries out an order itself ends soon, and is not a daemon.
      if (holder.role.kind === 'command') return error;
      if (holder.role.socket !== undefined && holder.role.socket !== socket)
        return new ControlError(
          'CONTROL_ELSEWHERE',
          `monitor_service runs (pid ${holder.pid}) and listens on ${holder.role.socket}: [control] socket, now ${socket}, takes effect at its next start${stranger === undefined ? '' : `; ${stranger}`}`,
          error,
        );
      return new ControlError(
        'CONTROL_SOCKET_GONE',
        `monitor_service runs (pid ${holder.pid}), ${stranger === undefined ? goneWords(socket) : takenWords(socket, stranger)}`,
        error,
      );
    case 'unknown':
      return new ControlError(
        'CONTROL_FORBIDDEN',
        `${error.message}; only root can find out whether one runs (${holder.path}: ${holder.code})`,
        error,
      );
    case 'none':
      return error;
    default:
      return holder satisfies never;
  }
}

function goneWords(socket: string): string {
  return `its socket is gone: nobody listens on ${socket}; it is created again within 10 s, and the daemon's log says if that fails`;
}

function takenWords(socket: string, stranger: string): string {
  return `but does not answer on ${socket}: ${stranger}, and was sent nothing; end it, or remove the socket: then it is created again within 10 s`;
}
