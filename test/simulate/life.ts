/** What whoever runs after the daemon's death meets; nobody is to be told of it. */
export class CutOff extends Error {
  constructor() {
    super('the daemon is dead');
  }
}

/** One life of the daemon: every call that leaves it goes through here, so that it can end at any of them. */
export class Life {
  readonly number: number;
  isAlive = true;
  /** Calls that have left it. */
  calls = 0;
  /** It ends before the call of that number has its effect. */
  endsAtCall = Number.POSITIVE_INFINITY;
  readonly #onEnd: () => void;

  constructor(number: number, onEnd: () => void) {
    this.number = number;
    this.#onEnd = onEnd;
  }

  /** It is killed: nothing of it has an effect any more. */
  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#onEnd();
  }

  /** To be called by whatever it does to the world at once; throws if it is dead. */
  enter(): void {
    if (this.isAlive && ++this.calls >= this.endsAtCall) this.end();
    if (!this.isAlive) throw new CutOff();
  }

  /** A call that is answered later: never, if it is dead by then. */
  ask<T>(work: () => Promise<T>): Promise<T> {
    if (this.isAlive && ++this.calls >= this.endsAtCall) this.end();
    if (!this.isAlive) return new Promise(() => {});
    return new Promise((resolve, reject) => {
      work().then(
        (value) => this.isAlive && resolve(value),
        (error) => this.isAlive && reject(error),
      );
    });
  }
}
