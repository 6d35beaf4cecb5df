import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { closeDescriptor } from '../native/libc.ts';
import { openPipe } from '../native/pipe.ts';

/** A pipe that a child writes to and we read from. */
export class OutputPipe {
  /** The child's end, which is passed to it. */
  readonly write: number;
  readonly #read: number;
  #taken = false;

  private constructor(read: number, write: number) {
    this.#read = read;
    this.write = write;
  }

  /** A new pipe; undefined if the system provides none. */
  static open(): OutputPipe | undefined {
    const ends = openPipe();
    return ends && new OutputPipe(ends.read, ends.write);
  }

  /** Our end, as a stream that owns it. */
  take(): Readable {
    this.#taken = true;
    return new Socket({ fd: this.#read, readable: true, writable: false });
  }

  /** Closes our copy of the child's end, without which the stream would never end, and our own end if nobody took it. */
  close(): void {
    closeDescriptor(this.write);
    if (!this.#taken) closeDescriptor(this.#read);
  }
}
