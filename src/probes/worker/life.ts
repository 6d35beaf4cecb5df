// One worker from its start to its end, as the daemon sees it.
import { check } from '../../core/shape.ts';
import { withinWords } from '../../core/text/duration.ts';
import { type Answer, type Away, answerShape } from './answer.ts';
import { BoundedLines } from './lines.ts';
import type { StartWorker, WorkerProcess } from './process.ts';
import { cancelLine, type Work, workLine } from './work.ts';

/** Whoever follows a life. */
interface LifeListener {
  /** It has answered a piece of work. */
  onAnswer(): void;
  /** Called once; one line why it has ended. */
  onEnd(reason: string): void;
}

/** A piece of work that waits for its answer. */
interface Pending {
  readonly work: Work;
  readonly timeoutMs: number;
  readonly finish: (answer: Answer | Away) => void;
  isSent: boolean;
  /** Until it is sent: how long it waits for the start. Then: how long for the answer. */
  timer: NodeJS.Timeout | undefined;
}

/** One worker. It begins to start with the constructor. */
export class WorkerLife {
  readonly #listener: LifeListener;
  readonly #lines = new BoundedLines(LONGEST_LINE);
  readonly #pending = new Map<number, Pending>();
  #process: WorkerProcess | undefined;
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  #sent = 0;
  #received = 0;
  #isOver = false;

  constructor(start: StartWorker, listener: LifeListener) {
    this.#listener = listener;
    void start().then((started) => {
      if (started.kind === 'not_started') this.end(`it could not be started: ${started.reason}`);
      else this.#take(started.worker);
    });
  }

  /** Has a piece of work done by this worker; `away` if it ends before. Never rejects. */
  ask(work: Work, timeoutMs: number, signal: AbortSignal): Promise<Answer | Away> {
    if (this.#pending.size >= MOST_PENDING) return Promise.resolve({ kind: 'away', reason: BUSY });
    const id = nextId++;
    return new Promise((resolve) => {
      const finish = (answer: Answer | Away): void => {
        clearTimeout(pending.timer);
        signal.removeEventListener('abort', abort);
        this.#pending.delete(id);
        resolve(answer);
      };
      const abort = (): void => {
        if (pending.isSent) this.#process?.socket.write(cancelLine(id));
        finish({ kind: 'away', reason: 'aborted' });
      };
      const pending: Pending = { work, timeoutMs, finish, isSent: false, timer: undefined };
      this.#pending.set(id, pending);
      signal.addEventListener('abort', abort, { once: true });
      if (this.#process !== undefined) this.#send(id, pending);
      else pending.timer = setTimeout(() => finish({ kind: 'away', reason: STARTING }), timeoutMs + LATE_MS);
    });
  }

  /** Ends it at once. Idempotent. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#process?.kill();
    for (const { finish } of [...this.#pending.values()]) finish({ kind: 'away', reason: `the worker has failed: ${reason}` });
    this.#listener.onEnd(reason);
  }

  #take(worker: WorkerProcess): void {
    if (this.#isOver) {
      // It was stopped while it was being started.
      worker.kill();
      return;
    }
    this.#process = worker;
    // How it ended is known a moment after its connection has ended.
    worker.socket.on('error', () => {});
    worker.socket.on('data', (bytes) => this.#read(bytes));
    void worker.ended.then((reason) => this.end(reason));
    for (const [id, pending] of this.#pending) this.#send(id, pending);
  }

  #send(id: number, pending: Pending): void {
    const socket = this.#process?.socket;
    if (socket === undefined || socket.writableLength > MOST_WAITING) {
      pending.finish({ kind: 'away', reason: BUSY });
      return;
    }
    this.#sent++;
    pending.isSent = true;
    clearTimeout(pending.timer);
    socket.write(workLine(id, pending.work, pending.timeoutMs));
    // In the next turn: the answer may have come while our own loop was held up.
    const late = (): void => void setImmediate(() => this.#missed(id, pending));
    pending.timer = setTimeout(late, pending.timeoutMs + LATE_MS);
  }

  #missed(id: number, pending: Pending): void {
    if (this.#pending.get(id) !== pending) return;
    const reason = `it has not answered ${withinWords(pending.timeoutMs + LATE_MS)}`;
    // One that has just answered others has too much to do, and does not hang.
    if (performance.now() - this.#lastAnswerMs < LATE_MS) {
      pending.finish({ kind: 'away', reason: `the worker is busy: ${reason}` });
    } else this.end(reason);
  }

  #read(bytes: Buffer): void {
    const lines = this.#isOver ? [] : this.#lines.push(bytes);
    if (lines === undefined) this.end('it sent a line of more than 64 KiB');
    for (const line of lines ?? []) if (!this.#isOver) this.#readLine(line);
  }

  #readLine(line: string): void {
    const read = check(answerShape, parsed(line));
    if (read.kind === 'misfit') {
      this.end(`it sent something else than an answer: ${read.problem}`);
    } else if (++this.#received > this.#sent + MOST_UNASKED) {
      // One that answers for ever what nobody has asked would keep our loop busy.
      this.end('it sent more answers than it was asked for');
    } else {
      // Unknown: the work was given up, or answered before. It shows nothing about the worker either.
      const pending = this.#pending.get(read.value.id);
      if (pending === undefined) return;
      this.#lastAnswerMs = performance.now();
      pending.finish(read.value.answer);
      this.#listener.onAnswer();
    }
  }
}

/** Undefined, which has the shape of nothing, if it is not JSON. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Never used twice in the life of the daemon: an answer of an earlier worker fits nothing. */
let nextId = 1;

const MOST_PENDING = 1000;
/** What the worker has not read yet, in bytes: besides it no more than one piece of work. */
const MOST_WAITING = 32 * 1024 * 1024;
const MOST_UNASKED = 100;
const LONGEST_LINE = 64 * 1024;
/** How much later than its own limit an answer may come. */
const LATE_MS = 2000;
const STARTING = 'the worker is still being started';
const BUSY = 'the worker has too much to do';
