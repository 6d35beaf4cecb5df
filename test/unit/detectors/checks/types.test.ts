import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckParts, Reading } from '../../../../src/detectors/checks/check.ts';
import { parseType } from '../../../../src/detectors/checks/types/index.ts';
import type { ShellCommand } from '../../../../src/system/runs/runner.ts';
import type { CommandResult } from '../../../../src/system/spawn/command-result.ts';
import type { UnitStatus } from '../../../../src/system/systemd/service-manager.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { PlainSection } from '../../../helpers/plain-section.ts';
import { never } from '../../../helpers/strategy-parts.ts';

// How each type reads what it finds. The same on real units: test/system/inside/checks.ts.

const identity = { name: 'x', processName: 'web', systemName: 'nginx' };

async function look(keys: Readonly<Record<string, string>>, parts: Partial<CheckParts>): Promise<Reading> {
  const section = new PlainSection(keys);
  const parsed = parseType(section, identity, () => true) ?? assert.fail(section.problems.join('\n'));
  return parsed.create({ clock: new FakeClock(), ...parts } as CheckParts).look(5000, never);
}

describe('type = command', () => {
  const run = async (result: CommandResult, keys: Readonly<Record<string, string>> = {}): Promise<Reading> => {
    const commands = { run: async () => result, waitForRun: async () => 'not_found' as const };
    return look({ type: 'command', command: 'x', ...keys }, { commands });
  };
  const exited = (exitCode: number, output = ''): CommandResult => ({ kind: 'exited', exitCode, output });

  test('0 is ok, other codes are failing, and what has seen nothing is unknown', async () => {
    assert.deepEqual(await run(exited(0, 'noise')), { kind: 'ok' });
    assert.deepEqual(await run(exited(3, 'no page\n')), { kind: 'failing', reason: 'exit code 3: no page' });
    assert.deepEqual(await run({ kind: 'timed_out', afterMs: 5000, output: '' }), {
      kind: 'failing',
      reason: 'still running after 5 s, killed',
    });
    const unknown: CommandResult[] = [
      exited(127, 'sh: 1: chek: not found'),
      exited(126),
      { kind: 'signaled', signal: 'SIGKILL', output: '' },
      { kind: 'not_started', reason: 'no shell' },
      { kind: 'lost', reason: 'PID 1', output: '' },
      { kind: 'aborted', output: '' },
    ];
    for (const result of unknown) assert.equal((await run(result)).kind, 'unknown', JSON.stringify(result));
  });

  test('a plugin says ok, warning, critical or unknown in its exit code, and why in its first line', async () => {
    const plugin = (code: number, output: string) => run(exited(code, output), { exit_codes: 'nagios' });
    const line = "DISK CRITICAL - \u001b[31mfree\u202e space: / 12 MB | /=91%;80;90\nmore | 'x'=1\n";
    assert.deepEqual(await plugin(0, line), { kind: 'ok' });
    const reason = 'DISK CRITICAL - ?[31mfree space: / 12 MB';
    assert.deepEqual(await plugin(1, line), { kind: 'failing', reason, isWarning: true });
    assert.deepEqual(await plugin(2, line), { kind: 'failing', reason });
    assert.deepEqual(await plugin(3, line), { kind: 'unknown', reason });
    assert.deepEqual(await plugin(2, ''), { kind: 'failing', reason: 'exit code 2' });
    assert.deepEqual(await plugin(127, 'sh: not found'), {
      kind: 'unknown',
      reason: 'exit code 127 (expected 0 to 3): sh: not found',
    });
    assert.equal((await plugin(2, 'x'.repeat(10_000))).kind, 'failing');
  });

  test('it is run as it is written, with the names in its environment, and killed when it ends', async () => {
    const seen: ShellCommand[] = [];
    const commands = {
      run: async (command: ShellCommand) => {
        seen.push(command);
        return exited(0);
      },
      waitForRun: async () => 'not_found' as const,
    };
    await look({ type: 'command', command: 'date +%s; %%s' }, { commands });
    const [{ line, kind, environment, timeoutMs } = assert.fail()] = seen;
    assert.deepEqual([line, kind, timeoutMs], ['date +%s; %%s', 'check', 5000]);
    assert.deepEqual(environment, { MONITOR_CHECK_NAME: 'x', MONITOR_PROCESS_NAME: 'web', MONITOR_SYSTEM_NAME: 'nginx' });
  });
});

describe('type = unit', () => {
  const status = { id: 'nginx.service', loadState: 'loaded', activeState: 'active', subState: 'running', result: 'success' };
  const show = (found: Partial<UnitStatus> | string, keys: Readonly<Record<string, string>> = {}): Promise<Reading> => {
    const services = {
      show: async () =>
        typeof found === 'string' ? { kind: 'failed', reason: found } : { kind: 'status', status: { ...status, ...found } },
    };
    return look({ type: 'unit', ...keys }, { services: services as unknown as CheckParts['services'] });
  };

  test('it is ok in the state that it has to have, and says in which it is', async () => {
    assert.deepEqual(await show({}), { kind: 'ok' });
    assert.deepEqual(await show({ activeState: 'reloading', subState: 'reload' }), { kind: 'ok' });
    assert.deepEqual(await show({ activeState: 'failed', subState: 'failed', result: 'exit-code' }), {
      kind: 'failing',
      reason: 'nginx.service is failed (failed, exit-code; expected active)',
    });
    const missing = { loadState: 'not-found', activeState: 'inactive', subState: 'dead' };
    assert.deepEqual(await show(missing), {
      kind: 'failing',
      reason: 'nginx.service is inactive (it does not exist; expected active)',
    });
    assert.deepEqual(await show(missing, { state: 'inactive' }), { kind: 'ok' });
  });

  test('it is unknown while systemd does not answer', async () => {
    assert.deepEqual(await show('systemd does not answer'), { kind: 'unknown', reason: 'systemd does not answer' });
    const silent = { show: () => new Promise<never>(() => {}) } as unknown as CheckParts['services'];
    const clock = new FakeClock();
    let reading: Reading | undefined;
    void look({ type: 'unit' }, { services: silent, clock }).then((found) => {
      reading = found;
    });
    await clock.until(() => reading !== undefined, 6000);
    assert.deepEqual(reading, { kind: 'unknown', reason: 'systemd did not answer within 5 s' });
  });
});
