import { check } from '../core/shape.ts';
import { ControlError, exchange } from './exchange.ts';
import type { Order } from './order.ts';
import { orderTable } from './orders/index.ts';
import { createOrderClient, type OrderClient } from './orders.ts';
import { errorBody, readRefusal } from './reply.ts';

/**
 * Sends orders to the running daemon over its control socket. Nothing is opened before a call; each call uses its own
 * connection. Only the shape of an answer is checked: its texts are still whatever the database holds. All methods reject with
 * a ControlError.
 */
export function createControlClient(socket: string): OrderClient {
  return createOrderClient((name, args) => ask(socket, orderTable[name], args));
}

async function ask(socket: string, order: Order, args: readonly unknown[]): Promise<unknown> {
  const { timeoutMs, reply } = order;
  const { status, json } = await exchange({ socket, ...requestOf(order, args), timeoutMs });
  if (status === 200) {
    const read = check(reply.read, json);
    if (read.kind === 'fits') return read.value;
    throw new ControlError('CONTROL_BAD_ANSWER', `the daemon on ${socket} speaks another version (${read.problem})`);
  }
  const body = check(errorBody, json);
  const error = body.kind === 'fits' ? body.value.error : undefined;
  const refusal = reply.mayBeRefused && error !== undefined ? readRefusal(error) : undefined;
  if (refusal !== undefined) return refusal;
  // A query cannot be refused: here "not now" is an error.
  if (error?.code === 'conflict') throw new ControlError('CONTROL_BUSY', error.message);
  const words = error?.message ?? `status ${status}`;
  throw new ControlError('CONTROL_BAD_ANSWER', `the daemon on ${socket} rejected the request: ${words}`);
}

/** The arguments are in the query of a GET and in the body of a POST. */
function requestOf({ method, path, input }: Order, args: readonly unknown[]) {
  const given = input.write(...args);
  if (method === 'POST') return { method, path, body: given };
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(given)) if (value !== undefined) query.set(key, String(value));
  return { method, path: query.size === 0 ? path : `${path}?${query}` };
}
