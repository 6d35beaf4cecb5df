import type { Input } from './input.ts';
import type { Order, WithoutDaemon } from './order.ts';
import { orderTable } from './orders/index.ts';
import type { Refusal, ReplyForm } from './reply.ts';

/**
 * The port for orders: a method for each row of the order table, given by a known user and program. app/ binds it to the
 * monitor. Methods reject only because of bugs.
 */
export type Orders = { readonly [K in OrderName]: (...args: ArgumentsOf<Table[K]>) => ResultOf<Table[K]> };

/** The orders as a client gives them: the same methods, but each returns a promise. */
export type OrderClient = {
  readonly [K in OrderName]: (...args: ArgumentsOf<Table[K]>) => Promise<Awaited<ResultOf<Table[K]>>>;
};

/** The orders that the command line carries out in one of these ways while no daemon runs. */
export type OrdersWithoutDaemon<W extends WithoutDaemon> = {
  readonly [K in OrderName as Table[K]['withoutDaemon'] extends W ? K : never]: OrderClient[K];
};

/** The name of an order in the table. */
export type OrderName = keyof Table;

type Table = typeof orderTable;
type ArgumentsOf<O extends Order> = O['input'] extends Input<infer A extends readonly unknown[]> ? [...A] : never;

/** An order that cannot be refused may answer without a promise. */
type ResultOf<O extends Order> =
  O['reply'] extends ReplyForm<infer T>
    ? O['reply']['mayBeRefused'] extends true
      ? Promise<T | Refusal>
      : T | Promise<T>
    : never;

/** Every order by its name, in the order of the table. */
export const orderList = Object.entries(orderTable) as readonly (readonly [OrderName, Order])[];

/** Creates a client that passes each order to `give`. */
export function createOrderClient(give: (name: OrderName, args: readonly unknown[]) => Promise<unknown>): OrderClient {
  const methods = orderList.map(([name]) => [name, (...args: readonly unknown[]) => give(name, args)]);
  return Object.fromEntries(methods);
}

/** Gives the order `name` with the arguments that its input read. */
export function giveOrder(orders: Orders, name: OrderName, args: readonly unknown[]): unknown {
  return (orders as Record<OrderName, (...args: readonly unknown[]) => unknown>)[name](...args);
}
