import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessOptions } from '../../../../src/strategies/process/options.ts';
import { attemptFor, managed, processStrategyWorld } from '../../../helpers/process-strategy-world.ts';
import { unique } from '../../../helpers/process-zoo.ts';
import { kill, pidsOf } from '../../../helpers/program-in-path.ts';
import { never } from '../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

// A restart brings back as many copies as ran when all was well, also by start_command, which leaves no records.

test('start_command runs once for each copy that ran, and not for those that it starts by itself', async (t) => {
  const world = processStrategyWorld(t);
  const path = (): string => world.zoo.sleeper(unique('cp'));
  const cases: readonly ((path: string) => string)[] = [
    (one) => `exec ${one} 300`,
    (one) => `${one} 300 & ${one} 300 &`,
    (one) => `${one} 300 & sleep 0.3; ${one} 300 &`,
    // Known by what we started, not by its name.
    (one) => `cp ${one} ${one}-other; exec -a other ${one} 300`,
  ];
  for (const command of cases) {
    const one = path();
    const name = one.slice(one.lastIndexOf('/') + 1);
    const options: Partial<ProcessOptions> = { startCommand: command(one), maxMatches: 2 };
    for (const pid of [await world.zoo.start(one, ['3301']), await world.zoo.start(one, ['3302'])])
      await waitFor('it', () => pidsOf(world, one).includes(pid));
    await world.strategy(options).observe(managed(name), world.parts.look);
    for (let round = 0; round < 2; round++) {
      assert.equal((await world.strategy(options).preview(managed(name), never)).starts.length, 2);
      const outcome = await world.strategy(options).restart(attemptFor(name));
      assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
      await waitFor('both', () => pidsOf(world, one).length === 2);
      // One that has died comes back with the other.
      await kill(pidsOf(world, one)[0] ?? 0);
      await world.strategy(options).observe(managed(name), world.parts.look);
    }
    const outcome = await world.strategy(options).restart(attemptFor(name));
    assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
    await waitFor('both', () => pidsOf(world, one).length === 2);
  }
});

test('one that runs alone is started once, whatever max_matches allows', async (t) => {
  const world = processStrategyWorld(t);
  const path = world.zoo.sleeper(unique('cp'));
  const name = path.slice(path.lastIndexOf('/') + 1);
  const strategy = world.strategy({ startCommand: `exec ${path} 300`, maxMatches: 3 });
  for (let round = 0; round < 2; round++) {
    assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
    assert.equal(pidsOf(world, path).length, 1);
  }
});
