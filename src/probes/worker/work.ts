// The pieces of work that the worker does, and the lines in which they are sent. Each comes with all that it needs.
import type { DnsWork } from '../dns/look.ts';
import type { UrlWork } from '../url/work.ts';
import type { CronWork } from './cron.ts';
import type { LinesWork } from './match-lines.ts';
import type { TcpWork } from './tcp.ts';

/** A piece of work. */
export type Work = TcpWork | UrlWork | DnsWork | LinesWork | CronWork;

/** What the worker reads: a piece of work, or that nobody waits for one any more. */
export type Order =
  | { readonly id: number; readonly timeoutMs: number; readonly work: Work }
  | { readonly id: number; readonly cancel: true };

/** The line for a piece of work, with its end. */
export function workLine(id: number, work: Work, timeoutMs: number): string {
  return lineOf({ id, timeoutMs, work });
}

/** The line that gives a piece of work up, with its end. */
export function cancelLine(id: number): string {
  return lineOf({ id, cancel: true });
}

function lineOf(order: Order): string {
  return `${JSON.stringify(order)}\n`;
}
