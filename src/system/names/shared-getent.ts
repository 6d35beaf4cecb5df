import { askGetent, type GetentAnswer, type GetentQuestion } from './getent.ts';
import { Turns } from './turns.ts';

/** One question under way, and how many wait for its answer. */
interface Asked {
  readonly answer: Promise<GetentAnswer | undefined>;
  readonly over: AbortController;
  waiting: number;
}

/** getent for many: a few children at once, and one for all who ask for the same name. */
export class SharedGetent {
  readonly #file: string | undefined;
  readonly #turns: Turns;
  readonly #asked = new Map<string, Asked>();

  /** `size`: children at once. */
  constructor(size: number, file: string | undefined) {
    this.#file = file;
    this.#turns = new Turns({ size, sliceMs: SLICE_MS });
  }

  /** As askGetent, but that it waits for its turn; undefined as soon as `signal` aborts. Never rejects. */
  async ask(question: Omit<GetentQuestion, 'file'>, signal: AbortSignal): Promise<GetentAnswer | undefined> {
    if (signal.aborted) return undefined;
    const key = `${question.dns} ${question.name}`;
    const asked = this.#asked.get(key) ?? this.#begin(key, question);
    asked.waiting++;
    const { promise: aborted, resolve: abort } = Promise.withResolvers<undefined>();
    const leave = (): void => abort(undefined);
    signal.addEventListener('abort', leave, { once: true });
    const answer = await Promise.race([asked.answer, aborted]);
    signal.removeEventListener('abort', leave);
    asked.waiting--;
    // Nobody waits for it any more; who asks next must not be given what is being killed.
    if (asked.waiting === 0) this.#end(key, asked);
    return answer;
  }

  #begin(key: string, question: Omit<GetentQuestion, 'file'>): Asked {
    const over = new AbortController();
    const work = (limit: AbortSignal) => askGetent({ ...question, file: this.#file }, limit);
    const asked: Asked = { answer: this.#turns.run(question.name, work, over.signal), over, waiting: 0 };
    this.#asked.set(key, asked);
    return asked;
  }

  #end(key: string, asked: Asked): void {
    asked.over.abort('nobody waits for it');
    if (this.#asked.get(key) === asked) this.#asked.delete(key);
  }
}

/** A directory that is well answers well within that, also on a machine that is busy. */
const SLICE_MS = 300;
