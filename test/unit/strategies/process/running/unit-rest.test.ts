import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { listensIn } from '../../../../../src/strategies/process/running/unit-rest.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import { noRelations } from '../../../../helpers/fake-systemd.ts';
import { attemptFor, processStrategyWorld } from '../../../../helpers/process-strategy-world.ts';
import { isAlive, unique } from '../../../../helpers/process-zoo.ts';
import { never } from '../../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

const isInService = new ProcessTable().read(process.pid, ['unit'])?.unit?.endsWith('.service') === true;

test('what a dead main process left listening is stopped before its unit is started, but not if that is refused', {
  skip: isInService && 'what runs in a service is that one’s, and the tests do',
}, async (t) => {
  const world = processStrategyWorld(t);
  const [name, unit] = [unique('zleft'), 'zleft.service'];
  const left = await world.zoo.start(process.execPath, ['-e', 'require("node:net").createServer().listen(0, "127.0.0.1")']);
  const read = world.table.read.bind(world.table);
  world.table.read = ((of: number, ...rest: Parameters<typeof read> extends [unknown, ...infer R] ? R : never) => {
    const seen = read(of, ...rest);
    return seen !== undefined && of === left ? { ...seen, unit } : seen;
  }) as typeof read;
  const path = world.zoo.sleeper(unique('zleftd'));
  const calls: string[] = [];
  const state = { activeState: 'failed', subState: 'failed', result: 'signal', mainPid: 0, type: 'simple', controlGroup: '' };
  const program = { path, argv: [path, '300'], user: '', beganMs: 0, overMs: 0 };
  const { services, roots } = world.parts;
  Object.assign(services, {
    available: true,
    show: async () => ({
      kind: 'status',
      status: { id: unit, loadState: 'loaded', ...state, hasJob: false, endedByStop: false },
    }),
    relations: async () => ({ kind: 'known', relations: noRelations }),
    killMode: async () => ({ kind: 'known', killMode: 'process' }),
    program: async () => ({ kind: 'known', program }),
    call: async (verb: string) => {
      calls.push(verb);
      return { kind: 'done' };
    },
  });
  const listens = await waitFor('its socket', async () => {
    const found = await listensIn(world.table, services, { pid: left, unit }, never);
    return found.length > 0 ? found : undefined;
  });
  roots.set(name, [{ pid: 4_000_000, startTime: 1, unit, listens, isEmpty: true }]);
  const beside = await world.zoo.start(path);
  const refused = await world.strategy({ configured: true }).restart(attemptFor(name, true));
  assert.match(JSON.stringify(refused), new RegExp(`"failed".* runs outside of it \\(pid ${beside}\\)`));
  assert.deepEqual([isAlive(left), calls], [true, []]);
  process.kill(beside, 'SIGKILL');
  await waitFor('end', () => !isAlive(beside));
  const outcome = await world.strategy({ configured: true }).restart(attemptFor(name, true));
  assert.match(JSON.stringify(outcome), /stopped 1 process left behind in zleft\.service/);
  assert.equal(isAlive(left), false);
  assert.equal(calls.at(-1), 'start');
});
