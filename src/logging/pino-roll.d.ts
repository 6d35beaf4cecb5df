/** pino-roll 4 ships no types: the part of it that rotating-file.ts uses. Source: pino-roll.js, sonic-boom's index.js. */
declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events';

  /** A SonicBoom with `sync`: what `write` took is with the kernel when it returns, or `error` was emitted meanwhile. */
  export interface RollingStream extends EventEmitter {
    readonly fd: number;
    /** The numbered name it was opened by. What is written counts towards the limit only while it is the one pino-roll chose. */
    file: string;
    write(line: string): boolean;
    /** Goes on in the file `name`; throws, and goes on in the old one, where it cannot be opened. */
    reopen(name: string): void;
    /** Emits `close` at its end. */
    destroy(): void;
  }

  export interface RollOptions {
    /** `BASE.EXT`: the files are BASE.N.EXT, N being the highest number that any file `*N.EXT` of the folder bears. */
    readonly file: string;
    /** `123b`: bytes. */
    readonly size: string;
    readonly sync: boolean;
    readonly mode: number;
    readonly retryEAGAIN: () => boolean;
  }

  export default function pinoRoll(options: RollOptions): Promise<RollingStream>;
}
