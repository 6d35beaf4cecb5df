/** pino-roll 4 ships no types: the part of it that rotating-file.ts uses. Source: pino-roll.js, sonic-boom's index.js. */
declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events';

  /**
   * A SonicBoom with `sync`: what `write` took has been passed to the kernel when it returns, or `error` was emitted meanwhile.
   */
  export interface RollingStream extends EventEmitter {
    readonly fd: number;
    /**
     * The numbered name that it was opened by. What is written counts towards the limit only while it is the name that
     * pino-roll chose.
     */
    file: string;
    write(line: string): boolean;
    /** Continues in the file `name`. If that cannot be opened, throws and continues in the old file. */
    reopen(name: string): void;
    /** Emits `close` at its end. */
    destroy(): void;
  }

  export interface RollOptions {
    /** `BASE.EXT`: the files are BASE.N.EXT, where N is the highest number that any file `*N.EXT` in the folder has. */
    readonly file: string;
    /** `123b`: bytes. */
    readonly size: string;
    readonly sync: boolean;
    readonly mode: number;
    readonly retryEAGAIN: () => boolean;
  }

  export default function pinoRoll(options: RollOptions): Promise<RollingStream>;
}
