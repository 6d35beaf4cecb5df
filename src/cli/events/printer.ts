import type { EventLine } from '../../core/process/event-line.ts';
import { escapeUnfit } from '../../core/text/printable.ts';
import { type ClientFilter, passes } from '../../stream/filter.ts';
import type { Cli } from '../context.ts';
import { jsonText } from '../terminal/json-output.ts';
import { readEventLine } from './reader.ts';
import { EventTally } from './tally.ts';
import { ToldProcesses } from './told-processes.ts';
import { renderEvent, renderEventHeader } from './view.ts';

/** Shows events as they come, and counts them. */
export class EventPrinter {
  readonly tally = new EventTally();
  /** Events that came, wanted or not. */
  received = 0;
  /** The last line that was none. */
  lastUnread = '';
  readonly #cli: Cli;
  readonly #filter: ClientFilter;
  readonly #json: boolean;
  readonly #told = new ToldProcesses();
  #hasHeader = false;
  /** Characters that wait for the reader of our output. */
  #waiting = 0;
  /** Events that were passed over because too much waited. */
  #passedOver = 0;

  constructor(cli: Cli, filter: ClientFilter, json: boolean) {
    this.#cli = cli;
    this.#filter = filter;
    this.#json = json;
  }

  /** Lines of a server; resolves when the next ones may come. JSON is shown as it came. */
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
        shown += this.#show(this.#told.complete(line), () => `${escapeUnfit(text)}\n`);
      }
    }
    await this.#write(shown);
  }

  /** Lines from within, which cannot be told to wait: where too much waits already they are passed over, and counted as lost. */
  printLines(lines: readonly EventLine[]): void {
    if (this.#waiting > MOST_WAITING) {
      for (const line of lines) this.#passedOver += line.event === 'lost' ? line.count : 1;
      return;
    }
    let shown = '';
    if (this.#passedOver > 0) {
      const lost: EventLine = { event: 'lost', count: this.#passedOver, time: new Date().toISOString() };
      this.#passedOver = 0;
      shown += this.#show(lost, () => jsonText(lost, 'line'));
    }
    for (const line of lines) shown += this.#show(line, () => jsonText(line, 'line'));
    void this.#write(shown);
  }

  /** The summary: on stderr, and after all that was shown. */
  printSummary(elapsedMs: number): void {
    this.tally.lost += this.#passedOver;
    this.#passedOver = 0;
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
