import { printable } from '../../../core/text/printable.ts';

/**
 * What we send first, all at once: our user id, that we pass descriptors, and that messages follow. Source: D-Bus
 * specification, "Authentication Protocol".
 */
export function greeting(uid: number): Buffer {
  const hex = Buffer.from(String(uid)).toString('hex');
  return Buffer.from(`\0AUTH EXTERNAL ${hex}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n`);
}

/** Reads what the other side sends before its first message. */
export class Handshake {
  /** Resolves with the reason, in one line, if the handshake failed, else with undefined. */
  readonly done: Promise<string | undefined>;
  #finish: (problem: string | undefined) => void = () => {};
  #text = Buffer.alloc(0);

  constructor() {
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Takes bytes of the handshake. Returns the bytes that follow it when it is complete, else undefined. */
  push(bytes: Buffer): Buffer | undefined {
    this.#text = Buffer.concat([this.#text, bytes]);
    const lines = this.#text.toString('latin1').split('\r\n', 3);
    const [first = '', second = ''] = lines;
    if (lines.length > 1 && !first.startsWith('OK '))
      this.fail(`it refused the connection: ${printable(first).slice(0, MAX_SHOWN)}`);
    else if (lines.length > 2 && second !== 'AGREE_UNIX_FD') this.fail('it does not accept descriptors');
    else if (lines.length < 3 && this.#text.length > MAX_HANDSHAKE) this.fail('it does not speak D-Bus');
    else if (lines.length === 3) {
      this.#finish(undefined);
      return this.#text.subarray(first.length + second.length + 4);
    }
    return undefined;
  }

  fail(problem: string): void {
    this.#finish(problem);
  }
}

const MAX_HANDSHAKE = 4096;
const MAX_SHOWN = 200;
