import type { Input } from './input.ts';
import type { Order, WithoutDaemon } from './order.ts';
import { orderTable } from './orders/index.ts';
import type { Refusal, ReplyForm } from './reply.ts';

/**
 * Everything the control socket can ask of the daemon, by one who is known: a method for each row of the order table. app/ binds it to
 * the monitor. Never rejects but for bugs.
 */
export type Orders = { readonly [K in OrderName]: (...args: ArgumentsOf<Table[K]>) => ResultOf<Table[K]> };

/** The orders as they are given from elsewhere: the same words, and every one takes its time. */
export type OrderDesk = { readonly [K in OrderName]: (...args: ArgumentsOf<Table[K]>) => Promise<Awaited<ResultOf<Table[K]>>> };

/** The orders that the command line carries out in one of these ways while no daemon runs. */
export type DeskWithoutDaemon<W extends WithoutDaemon> = {
  readonly [K in OrderName as Table[K]['withoutDaemon'] extends W ? K : never]: OrderDesk[K];
};

/** What an order is called in the table. */
export type OrderName = keyof Table;

type Table = typeof orderTable;
type ArgumentsOf<O extends Order> = O['input'] extends Input<infer A extends readonly unknown[]> ? [...A] : never;

/** What cannot be refused is known at once. */
type ResultOf<O extends Order> =
  O['reply'] extends ReplyForm<infer T>
    ? O['reply']['mayBeRefused'] extends true
      ? Promise<T | Refusal>
      : T | Promise<T>
    : never;

/** Every order by its name, in the order of the table. */
export const orderList = Object.entries(orderTable) as readonly (readonly [OrderName, Order])[];

/** A desk that hands each order on to `give`. */
export function createDesk(give: (name: OrderName, args: readonly unknown[]) => Promise<unknown>): OrderDesk {
  const desk = orderList.map(([name]) => [name, (...args: readonly unknown[]) => give(name, args)]);
  return Object.fromEntries(desk);
}

/** Gives the order `name` with the arguments that its input has. */
export function giveOrder(orders: Orders, name: OrderName, args: readonly unknown[]): unknown {
  return (orders as Record<OrderName, (...args: readonly unknown[]) => unknown>)[name](...args);
}
