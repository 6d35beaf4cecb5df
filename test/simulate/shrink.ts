import { type RunResult, runOnce } from './run.ts';
import type { Step } from './steps.ts';

/** The failing run made small: its steps are left out, many at a time and then one by one, as long as it still fails in the same way. */
export async function shrink(seed: number, steps: readonly Step[]): Promise<RunResult> {
  let kept = steps;
  let last = await runOnce(seed, { only: numbersOf(kept) });
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      const result = await runOnce(seed, { only: numbersOf(fewer) });
      if (kindOf(result.broken) !== kindOf(last.broken)) at += size;
      else [kept, last] = [fewer, result];
    }
  }
  return last;
}

function numbersOf(steps: readonly Step[]): Set<number> {
  return new Set(steps.map(({ number }) => number));
}

/** What was broken, without whose and when. */
function kindOf(broken: string | undefined): string | undefined {
  return broken?.replace(/\b(?:web|db|queue|cache)\b|\d[\d.]*/g, '');
}
