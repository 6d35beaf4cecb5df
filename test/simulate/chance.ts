import { type Random, seededRandom } from '../helpers/seeded-random.ts';

/** Everything that is left to chance in one run. */
export class Chance {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** 0 to 1. */
  share(): number {
    return this.#random();
  }

  /** True in so many of 100 cases. */
  percent(percent: number): boolean {
    return this.#random() * 100 < percent;
  }

  /** A whole number from `min` to `max`, both included. */
  number(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1));
  }

  one<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)]!;
  }

  /** Mostly near `usual`, seldom up to `most`: how long things take. */
  time(usual: number, most: number): number {
    const r = this.#random();
    return Math.round(r < 0.9 ? usual * (0.5 + r) : usual + (most - usual) * (r - 0.9) * 10);
  }
}
