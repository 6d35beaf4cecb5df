import { printable } from '../../../core/text/printable.ts';

/**
 * What we say first, all at once: who we are, that we pass descriptors, and that messages follow. Source: D-Bus specification,
 * "Authentication Protocol".
 */
export function greeting(uid: number): Buffer {
  const hex = Buffer.from(String(uid)).toString('hex');
  return Buffer.from(`\0AUTH EXTERNAL ${hex}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n`);
}

/** What the other side says before its first message. */
export class Handshake {
  /** Why it failed, in one line; undefined where it did not. */
  readonly done: Promise<string | undefined>;
  #settle: (problem: string | undefined) => void = () => {};
  #text = Buffer.alloc(0);

  constructor() {
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** What stands behind the handshake, once that is whole. */
  push(bytes: Buffer): Buffer | undefined {
    this.#text = Buffer.concat([this.#text, bytes]);
    const lines = this.#text.toString('latin1').split('\r\n', 3);
    const [first = '', second = ''] = lines;
    if (lines.length > 1 && !first.startsWith('OK '))
      this.fail(`it refuses the connection: ${printable(first).slice(0, MAX_SHOWN)}`);
    else if (lines.length > 2 && second !== 'AGREE_UNIX_FD') this.fail('it takes no descriptors');
    else if (lines.length < 3 && this.#text.length > MAX_HANDSHAKE) this.fail('it does not speak D-Bus');
    else if (lines.length === 3) {
      this.#settle(undefined);
      return this.#text.subarray(first.length + second.length + 4);
    }
    return undefined;
  }

  fail(problem: string): void {
    this.#settle(problem);
  }
}

const MAX_HANDSHAKE = 4096;
const MAX_SHOWN = 200;
