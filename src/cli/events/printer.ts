import type { EventLine } from '../../core/process/event-line.ts';
import { escapeUnfit } from '../../core/text/printable.ts';
import { type ClientFilter, passes } from '../../stream/filter.ts';
import type { Cli } from '../context.ts';
import { jsonText } from '../terminal/json-output.ts';
import { readEventLine } from './reader.ts';
import { SeenProcesses } from './seen-processes.ts';
import { EventTally } from './tally.ts';
import { renderEvent, renderEventHeader } from './view.ts';

/** Prints events as they come, and counts them. */
export class EventPrinter {
  readonly tally = new EventTally();
  /** Events that were received, shown or not. */
  received = 0;
  /** The last line that was not an event. */
  lastUnread = '';
  readonly #cli: Cli;
  readonly #filter: ClientFilter;
  readonly #json: boolean;
  readonly #processes = new SeenProcesses();
  #hasHeader = false;
  /** Characters that the reader of our output has not read yet. */
  #waiting = 0;
  /** Events that were skipped because too much output was waiting. */
  #skipped = 0;

  constructor(cli: Cli, filter: ClientFilter, json: boolean) {
    this.#cli = cli;
    this.#filter = filter;
    this.#json = json;
  }

  /** Prints lines of a server; resolves when it can take the next ones. JSON is shown unchanged. */
  async printText(texts: readonly string[], skipped: number): Promise<void> {
    const arrived = new Date();
    let shown = '';
    this.tally.unread += skipped;
    for (const text of texts) {
      const line = readEventLine(text, arrived);
      if (line === undefined) {
        this.tally.unread += 1;
        this.lastUnread = text;
      } else {
        shown += this.#show(this.#processes.complete(line), () => `${escapeUnfit(text)}\n`);
      }
    }
    await this.#write(shown);
  }

  /**
   * Prints events of the kernel, which cannot be made to wait: if too much output waits already, they are skipped and counted
   * as lost.
   */
  printLines(lines: readonly EventLine[]): void {
    if (this.#waiting > MOST_WAITING) {
      for (const line of lines) this.#skipped += line.event === 'lost' ? line.count : 1;
      return;
    }
    let shown = '';
    if (this.#skipped > 0) {
      const lost: EventLine = { event: 'lost', count: this.#skipped, time: new Date().toISOString() };
      this.#skipped = 0;
      shown += this.#show(lost, () => jsonText(lost, 'line'));
    }
    for (const line of lines) shown += this.#show(line, () => jsonText(line, 'line'));
    void this.#write(shown);
  }

  /** Prints the summary to stderr, after all events. */
  printSummary(elapsedMs: number): void {
    this.tally.lost += this.#skipped;
    this.#skipped = 0;
    if (this.#cli.out.fault === undefined) this.#cli.complain(this.tally.words(elapsedMs));
  }

  #show(line: EventLine, json: () => string): string {
    if (line.event !== 'lost') this.received += 1;
    if (!passes(this.#filter, line)) return '';
    this.tally.count(line);
    if (this.#json) return json();
    const header = this.#hasHeader ? '' : `${renderEventHeader(this.#layout)}\n`;
    this.#hasHeader = true;
    return `${header}${renderEvent(line, this.#layout)}\n`;
  }

  get #layout(): { readonly width: number | undefined; readonly colour: boolean } {
    return { width: this.#cli.out.terminal?.columns, colour: this.#cli.out.colour };
  }

  async #write(text: string): Promise<void> {
    if (text === '') return;
    this.#waiting += text.length;
    this.#cli.out.write(text);
    await this.#cli.out.flush();
    this.#waiting -= text.length;
  }
}

const MOST_WAITING = 16 * 1024 * 1024;
