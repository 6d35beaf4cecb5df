// Returns to an earlier host of the list once it answers again.
import { takesWrites } from '../connection/causal-session.ts';
import type { MysqlCommon } from '../connection/server.ts';
import { earlierHosts, isThere } from '../endpoints.ts';
import type { MysqlOptions } from '../options.ts';
import { CLOSE_GRACE_MS, type MysqlLane } from './lane.ts';
import { pollLane } from './lanes.ts';

/** What the failback needs of its caller. Hosts are named by their index in the list. */
interface FailbackParts {
  /** The host that is in use. */
  present(): number;
  /** Whether it accepts writes; undefined if it does not answer. */
  presentTakesWrites(): Promise<boolean | undefined>;
  /** Sends calls to this host from now on. */
  goBack(index: number): void;
}

/**
 * Returns the calls to an earlier host of the list once it has answered causal reads for `failback` (half to one and a half
 * times as long), but never to a read-only host while the present one accepts writes. It asks only while a later host is in
 * use, every few seconds, over one connection at most.
 */
export class Failback {
  readonly #options: MysqlOptions;
  readonly #common: MysqlCommon;
  readonly #parts: FailbackParts;
  #probe: { readonly index: number; readonly lane: MysqlLane } | undefined;
  /** The earlier host that answers, and since when, in milliseconds of performance.now(). */
  #candidate: { readonly index: number; readonly sinceMs: number } | undefined;
  #dueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MysqlOptions, common: MysqlCommon, parts: FailbackParts) {
    this.#options = options;
    this.#common = common;
    this.#parts = parts;
  }

  /** Call this whenever another host has come into use. */
  watch(): void {
    const { failbackMs } = this.#options;
    this.stop();
    if (failbackMs === 0 || this.#earlier().length === 0) return;
    // A random time, so that the machines of a site do not all switch at once.
    this.#dueMs = failbackMs * (0.5 + Math.random());
    this.#sleep();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#candidate = undefined;
    this.#endProbe();
  }

  #sleep(): void {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, this.#options.failbackMs / 4) * (0.5 + Math.random() / 2);
    const timer = setTimeout(async () => {
      const isOurs = (): boolean => this.#timer === timer;
      await this.#look(isOurs);
      if (isOurs()) this.#sleep();
    }, pauseMs);
    timer.unref();
    this.#timer = timer;
  }

  /**
   * Asks the earlier hosts in turn until one answers, and returns to it if it is time. `isOurs`: no other host has come into
   * use meanwhile.
   */
  async #look(isOurs: () => boolean): Promise<void> {
    for (const index of this.#earlier()) {
      const isWritable = await this.#ask(index);
      if (!isOurs()) return;
      if (isWritable === undefined) continue;
      const now = performance.now();
      const { sinceMs } = this.#candidate?.index === index ? this.#candidate : { sinceMs: now };
      this.#candidate = { index, sinceMs };
      if (now - sinceMs < this.#dueMs) return;
      const mayGo = isWritable || (await this.#parts.presentTakesWrites()) === false;
      if (!isOurs()) return;
      // If it may not be used, it has to answer for the whole time again.
      this.#candidate = undefined;
      if (mayGo) this.#parts.goBack(index);
      return;
    }
    this.#candidate = undefined;
  }

  #earlier(): number[] {
    return earlierHosts(this.#options.endpoints, this.#parts.present());
  }

  async #ask(index: number): Promise<boolean | undefined> {
    const endpoint = this.#options.endpoints[index];
    if (endpoint === undefined || !isThere(endpoint)) return undefined;
    if (this.#probe?.index !== index) this.#endProbe();
    this.#probe ??= { index, lane: pollLane(endpoint, this.#options, this.#common) };
    const { lane } = this.#probe;
    const attempt = await lane.run(takesWrites, 'read');
    if (attempt.kind === 'done') return attempt.value;
    if (this.#probe?.lane === lane) this.#endProbe();
    return undefined;
  }

  #endProbe(): void {
    void this.#probe?.lane.close(CLOSE_GRACE_MS);
    this.#probe = undefined;
  }
}

const LONGEST_PAUSE_MS = 5000;
