import type { ProcessEvent, ProcessEventType } from '../core/process/event.ts';
import type { EventLine } from '../core/process/event-line.ts';
import type { EventClient } from './client.ts';
import type { EventDescriber } from './describer.ts';
import { type ClientFilter, passes } from './filter.ts';
import { eventText } from './text.ts';

/** Sends events to clients. Each event is formatted once, and clients with the same filter share the bytes. */
export class Broadcast {
  readonly #describer: EventDescriber;
  readonly #types: ReadonlySet<ProcessEventType>;
  #groups: { readonly filter: ClientFilter; readonly clients: readonly EventClient[] }[] = [];
  #wanted: ReadonlySet<ProcessEventType> = new Set();

  /** `types`: the types of events that clients can get here. */
  constructor(describer: EventDescriber, types: ReadonlySet<ProcessEventType>) {
    this.#describer = describer;
    this.#types = types;
  }

  /** Must be called whenever a client has come, gone, or changed its filter. */
  regroup(clients: Iterable<EventClient>): void {
    const groups = Map.groupBy(clients, ({ filter: { events, user, name } }) =>
      JSON.stringify([events === undefined ? null : [...events], user ?? null, name ?? null]),
    );
    this.#groups = [...groups.values()].flatMap((members) =>
      members[0] === undefined ? [] : [{ filter: members[0].filter, clients: members }],
    );
    const asked = this.#groups.map(({ filter }) => filter.events ?? this.#types);
    const wanted = new Set([...this.#types].filter((type) => asked.some((types) => types.has(type))));
    if ([...wanted].some((type) => !this.#wanted.has(type))) this.#describer.catchUp();
    this.#wanted = wanted;
  }

  /** Sends all events to the clients, in order. */
  send(events: readonly ProcessEvent[]): void {
    const lines: { readonly line: EventLine; readonly text: string }[] = [];
    for (const event of events) {
      const line = this.#describer.describe(event, this.#wanted);
      if (line !== undefined) lines.push({ line, text: eventText(line) });
    }
    for (const { filter, clients } of this.#groups) {
      const chosen = lines.filter(({ line }) => passes(filter, line)).map(({ text }) => text);
      for (let from = 0; from < chosen.length; from += LINES_OF_A_PIECE) {
        const piece = chosen.slice(from, from + LINES_OF_A_PIECE);
        const bytes = Buffer.from(piece.join(''));
        for (const client of clients) client.queue.push(bytes, piece.length);
      }
    }
  }
}

/** Some 30 KB: what does not fit into a queue is dropped in pieces of this size. */
const LINES_OF_A_PIECE = 200;
