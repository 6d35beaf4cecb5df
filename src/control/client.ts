import { ControlError, exchange } from './exchange.ts';
import type { OrderDesk } from './order-desk.ts';
import type { OrderReply, RecoverReply } from './orders.ts';
import {
  alarmShape,
  type Done,
  detailsShape,
  errorShape,
  heldShape,
  outcomeShape,
  pinnedShape,
  pinsShape,
  previewShape,
  reasonShape,
  recoveredShape,
  refusalCode,
  releasedShape,
  reloadShape,
  resetShape,
  statusShape,
  unpinnedShape,
} from './replies.ts';
import { check, type Shape } from './shape.ts';
import type { DaemonStatus } from './status.ts';

/**
 * The running daemon, asked over its control socket. Nothing is opened before a call; each call is a connection of its own. An
 * answer is believed as far as its shape goes: its texts are still whatever the database holds. All reject with a ControlError.
 */
export function createControlClient(socket: string): OrderDesk {
  return new ControlClient(socket);
}

class ControlClient implements OrderDesk {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async status(): Promise<DaemonStatus> {
    return this.#read(statusShape, await this.#ask('GET', '/v1/status', undefined, QUICK_MS));
  }

  /** Waits until the recovery has ended, however long that takes. */
  async recover(name: string): Promise<RecoverReply> {
    const answer = await this.#ask('POST', '/v1/recoveries', { name }, undefined);
    if (answer.status !== 200) return this.#refusal(answer);
    const { outcome } = this.#read(outcomeShape, answer);
    if (outcome === 'recovered') {
      const { attempts, durationMs } = this.#read(recoveredShape, answer);
      return { kind: outcome, attempts, durationMs };
    }
    return { kind: outcome, reason: this.#read(reasonShape, answer).reason };
  }

  resetBreakers(name: string | undefined): Promise<OrderReply<Done<'resetBreakers'>>> {
    return this.#order('POST', '/v1/breakers/reset', scope(name), resetShape);
  }

  preview(name: string): Promise<OrderReply<Done<'preview'>>> {
    return this.#order('GET', `/v1/matches?${new URLSearchParams({ name })}`, undefined, previewShape);
  }

  describe(name: string): Promise<OrderReply<Done<'describe'>>> {
    return this.#order('GET', `/v1/processes?${new URLSearchParams({ name })}`, undefined, detailsShape);
  }

  reload(): Promise<OrderReply<Done<'reload'>>> {
    return this.#order('POST', '/v1/reload', {}, reloadShape);
  }

  hold(name: string | undefined, forMs: number | undefined, reason: string, strict = false): Promise<OrderReply<Done<'hold'>>> {
    // A daemon that knows no strict holds is to say so, and to take the others.
    const body = { ...scope(name), forMs, reason, ...(strict ? { strict } : {}) };
    return this.#order('POST', '/v1/holds', body, heldShape);
  }

  release(name: string | undefined): Promise<OrderReply<Done<'release'>>> {
    return this.#order('POST', '/v1/holds/release', scope(name), releasedShape);
  }

  alarm(nameOrId: string, clear: boolean, notes: string | undefined): Promise<OrderReply<Done<'alarm'>>> {
    return this.#order('POST', '/v1/alarms', { process: nameOrId, clear, notes }, alarmShape);
  }

  pins(name: string | undefined): Promise<OrderReply<Done<'pins'>>> {
    const query = name === undefined ? '' : `?${new URLSearchParams({ name })}`;
    return this.#order('GET', `/v1/pins${query}`, undefined, pinsShape);
  }

  pin(name: string, digest: string): Promise<OrderReply<Done<'pin'>>> {
    return this.#order('POST', '/v1/pins', { name, digest }, pinnedShape);
  }

  unpin(name: string | undefined): Promise<OrderReply<Done<'unpin'>>> {
    return this.#order('POST', '/v1/pins/remove', scope(name), unpinnedShape);
  }

  async #order<T extends object>(method: 'GET' | 'POST', path: string, body: unknown, shape: Shape<T>): Promise<OrderReply<T>> {
    const answer = await this.#ask(method, path, body, ORDER_MS);
    return answer.status === 200 ? { kind: 'done', ...this.#read(shape, answer) } : this.#refusal(answer);
  }

  #ask(method: 'GET' | 'POST', path: string, body: unknown, timeoutMs: number | undefined): Promise<Received> {
    return exchange({ socket: this.#socket, method, path, body, timeoutMs });
  }

  #read<T>(shape: Shape<T>, { status, json }: Received): T {
    if (status !== 200) throw this.#fault({ status, json });
    const read = check(shape, json);
    if (read.kind === 'fits') return read.value;
    throw new ControlError('CONTROL_BAD_ANSWER', `the daemon on ${this.#socket} speaks another version (${read.problem})`);
  }

  #refusal(answer: Received): Refusal {
    const error = check(errorShape, answer.json);
    const code = error.kind === 'fits' ? check(refusalCode, error.value.error.code) : error;
    if (error.kind === 'misfit' || code.kind === 'misfit') throw this.#fault(answer);
    return { kind: 'refused', code: code.value, reason: error.value.error.message };
  }

  #fault({ status, json }: Received): ControlError {
    const error = check(errorShape, json);
    const words = error.kind === 'fits' ? error.value.error.message : `status ${status}`;
    // Not now, to one who only asks.
    if (error.kind === 'fits' && error.value.error.code === 'conflict') return new ControlError('CONTROL_BUSY', words);
    return new ControlError('CONTROL_BAD_ANSWER', `the daemon on ${this.#socket} did not take the request: ${words}`);
  }
}

type Received = Awaited<ReturnType<typeof exchange>>;
type Refusal = Extract<OrderReply<object>, { kind: 'refused' }>;

/** What the daemon answers from memory. */
const QUICK_MS = 10_000;
/** What may wait for a database, systemd or a look at all processes. */
const ORDER_MS = 60_000;

function scope(name: string | undefined): { readonly name?: string; readonly all?: true } {
  return name === undefined ? { all: true } : { name };
}
