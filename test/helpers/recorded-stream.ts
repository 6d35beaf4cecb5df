import { EventEmitter } from 'node:events';
import type { ConsoleStream } from '../../src/logging/console.ts';

/** A standard output that keeps what it is given, for tests. */
export class RecordedStream extends EventEmitter implements ConsoleStream {
  readonly fd: number;
  readonly isTTY: boolean;
  /** To be set: what waits for a reader. */
  writableLength = 0;
  text = '';

  constructor({ fd = 1, isTTY = false } = {}) {
    super();
    this.fd = fd;
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.text += text;
    return true;
  }
}
