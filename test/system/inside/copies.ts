import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { openRuns } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

const PROGRAM = '/usr/sbin/copied';

test('copies of a program live in units of their own, beside a program that is called like one of them', async (t) => {
  copyFileSync('/usr/bin/sleep', PROGRAM);
  t.after(() => rmSync(PROGRAM, { force: true }));
  const runs = openRuns(t);
  const memory = strategyMemory();
  const open = (name: string, section: Record<string, string>) => {
    const process = managed(name, name);
    t.after(() => runs.programs.retire(name, 10_000, never));
    const strategy = parseStrategy(new FakeSection(`process.${name}`, { restart_strategy: 'process', ...section })).create({
      ...runs,
      clock: systemClock,
      log: silentLog,
      ...memory,
    });
    return { restart: () => strategy.restart(attemptOn(process)), observe: () => strategy.observe?.(process) };
  };
  const program = open('copied', { max_matches: '2', start_command: `exec ${PROGRAM} 601` });
  const other = open('copied@2', { start_command: `exec -a other ${PROGRAM}2 602` });
  copyFileSync(PROGRAM, `${PROGRAM}2`);
  t.after(() => rmSync(`${PROGRAM}2`, { force: true }));
  const table = new ProcessTable();
  const units = (): (string | undefined)[] =>
    table
      .list(['argv', 'unit', 'state'])
      .filter(({ argv, state }) => state !== 'Z' && ['601', '602'].includes(argv?.[1] ?? ''))
      .map(({ argv, unit }) => `${argv?.[1]} ${unit}`)
      .sort();
  memory.launches.setNote('copied', { copies: 2 });
  for (const one of [program, other, program]) {
    const outcome = await one.restart();
    assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  }
  await waitFor('all', () => units().length === 3);
  assert.deepEqual(units(), [
    '601 monitor_service-app-copied.service',
    '601 monitor_service-app2-copied.service',
    '602 monitor_service-app-copied\\x402.service',
  ]);
  await program.observe();
  await other.observe();
  await runs.programs.retire('copied', 10_000, never);
  assert.deepEqual(units(), ['602 monitor_service-app-copied\\x402.service']);
});
