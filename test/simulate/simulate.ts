/**
 * `npm run simulate -- --runs N --seed S`: holds the promise against N simulated lives of a machine, from seed S on. The first that breaks
 * it is made small (`--no-shrink`: is not), and told with the command that repeats it: `--steps` leaves out all others, `--trace` shows
 * everything that happens.
 */
import { parseArgs } from 'node:util';
import { ignoreDeadDaemons } from './dead-daemons.ts';
import { runOnce } from './run.ts';
import { shrink } from './shrink.ts';
import { describeStep } from './steps.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string' },
    trace: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const runs = Number(values.runs);
const first = Number(values.seed);
const only = values.steps === undefined ? undefined : new Set(values.steps.split(',').map(Number));
ignoreDeadDaemons();

const startedMs = performance.now();
const total: Record<string, number> = {};
for (let seed = first; seed < first + runs; seed++) {
  const result = await runOnce(seed, { traced: values.trace, ...(only && { only }) });
  if (values.trace) for (const line of result.trace) console.log(line);
  for (const [what, count] of Object.entries(result.counts)) total[what] = (total[what] ?? 0) + count;
  if (result.broken === undefined) continue;
  console.log(`seed ${seed} (run ${seed - first + 1}): ${result.broken}`);
  if (only === undefined && !values.trace && values.shrink) {
    const small = await shrink(seed, result.steps);
    for (const step of small.steps) console.log(describeStep(step));
    console.log(`small: ${small.broken}`);
    console.log(
      `npm run simulate -- --runs 1 --seed ${seed} --steps ${small.steps.map(({ number }) => number).join(',') || 'none'} --trace`,
    );
  }
  process.exitCode = 1;
  break;
}
if (process.exitCode === undefined || process.exitCode === 0) {
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`${runs} runs from seed ${first}: nothing broken; ${(runs / seconds).toFixed(0)} runs/s`);
  console.log(
    Object.entries(total)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([what, count]) => `${what} ${count}`)
      .join(', '),
  );
}
