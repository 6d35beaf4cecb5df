import type { Orders } from './orders.ts';

/** The orders as they are given from elsewhere: the same words, and every one takes its time. */
export type OrderDesk = {
  readonly [K in keyof Orders]: (...args: Parameters<Orders[K]>) => Promise<Awaited<ReturnType<Orders[K]>>>;
};
