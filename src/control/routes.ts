// The routes of the control socket.
import { check } from '../core/shape.ts';
import { type Answer, badRequest, okAnswer } from './answer.ts';
import type { Order } from './order.ts';
import { giveOrder, type OrderName, type Orders, orderList } from './orders.ts';
import { replyAnswer } from './reply.ts';

/** One method of one resource. */
interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Order.scope is `root`. */
  readonly rootOnly?: true;
  /** `input`: the parsed body of a POST or the query of a GET, not yet checked: a misfit is answered with 400 and one line. */
  readonly handle: (input: unknown, orders: Orders) => Answer | Promise<Answer>;
}

/** All routes: one for each order, and one for each part that has its own path. */
export const routes: readonly Route[] = orderList.flatMap(([name, order]) => routesOf(name, order));

function routesOf(name: OrderName, { method, path, scope, input, reply, parts = {} }: Order): Route[] {
  const route = (path: string, answerOf: (reply: unknown) => Answer): Route => ({
    method,
    path,
    ...(scope === 'root' && { rootOnly: true }),
    handle: async (given, orders) => {
      const args = check(input.read, given);
      return args.kind === 'fits' ? answerOf(await giveOrder(orders, name, args.value)) : badRequest(args.problem);
    },
  });
  const ofParts = Object.entries(parts).map(([path, partOf]) => route(path, (whole) => okAnswer(partOf(whole as never))));
  return [route(path, (whole) => replyAnswer(reply, whole)), ...ofParts];
}
