import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ProcessOptions } from '../../src/strategies/process/options.ts';
import { attemptFor, managed, type ProcessStrategyWorld, processStrategyWorld } from './process-strategy-world.ts';
import { isAlive, unique } from './process-zoo.ts';
import { never } from './strategy-parts.ts';
import { waitFor } from './wait-for.ts';

/** A program of root's that PATH finds by its name, and the process strategy's world around it. */
export interface ProgramInPath {
  readonly world: ProcessStrategyWorld;
  readonly name: string;
  readonly path: string;
}

/** A copy of `program` in a folder that is in PATH until the test has ended. */
export function inPath(t: TestContext, program = '/bin/sleep'): ProgramInPath {
  const world = processStrategyWorld(t);
  const name = unique('un');
  const path = join(world.zoo.dir, name);
  copyFileSync(program, path);
  const before = process.env.PATH;
  process.env.PATH = `${world.zoo.dir}:${before}`;
  t.after(() => {
    process.env.PATH = before;
  });
  return { world, name, path };
}

/** Arguments of setpriv(1) by which it becomes nobody. */
export const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups'] as const;

/** What executes `path` and is no zombie. */
export function pidsOf({ table }: ProcessStrategyWorld, path: string): number[] {
  return table.list(['executable', 'state']).flatMap((p) => (p.executable === path && p.state !== 'Z' ? [p.pid] : []));
}

/** Starts it by setpriv(1) with these arguments; resolves when it executes the program. */
export async function startedBySetpriv(
  { world, path }: ProgramInPath,
  way: readonly string[],
  ...args: readonly string[]
): Promise<number> {
  const pid = await world.zoo.start('/usr/bin/setpriv', [...way, path, ...args]);
  await waitFor('it', () => pidsOf(world, path).includes(pid));
  return pid;
}

/** Resolves when the process is gone. */
export async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await waitFor('its end', () => !isAlive(pid));
}

/** Every way to ask gives this refusal. */
export async function refused(
  { world, name }: ProgramInPath,
  reason: RegExp,
  options: Partial<ProcessOptions> = {},
): Promise<void> {
  const strategy = world.strategy({ configured: true, ...options });
  const told = [
    (await strategy.preview(managed(name), never)).refusals.join(),
    (await strategy.concern(managed(name))) ?? 'no concern',
    JSON.stringify(await strategy.restart(attemptFor(name))),
    JSON.stringify(await strategy.launchesNow(managed(name), never)),
  ];
  for (const one of told) assert.match(one, reason);
  for (const one of told.slice(0, 3)) assert.match(one, /^.*not usable: .*; set start_command/);
}

/** Likewise while it runs, and when it is dead, also to a daemon that knows only what was kept. */
export async function refusedAliveAndDead(
  it: ProgramInPath,
  reason: RegExp,
  options: Partial<ProcessOptions> = {},
): Promise<void> {
  const { world, name, path } = it;
  const [pid = 0] = await waitFor('it', () => (pidsOf(world, path).length > 0 ? pidsOf(world, path) : undefined));
  await world.strategy({ configured: true, ...options }).observe(managed(name));
  await refused(it, reason, options);
  assert.ok(isAlive(pid), 'what cannot be started again is not stopped either');
  await kill(pid);
  // Of an earlier boot the roots tell nothing.
  world.parts.roots.set(name, []);
  await refused(it, reason, options);
  assert.deepEqual(pidsOf(world, path), []);
}
