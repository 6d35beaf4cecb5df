import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseHealthChecks } from '../../../src/health/index.ts';
import { CommandWorld } from '../../helpers/command-world.ts';
import { look, noCommands, onlyCheck, problemsOf, reason } from '../../helpers/health-world.ts';
import { PlainSection } from '../../helpers/plain-section.ts';

function check(t: TestContext, line: string) {
  const world = new CommandWorld(t);
  return {
    world,
    check: onlyCheck({ health_check_command: line.replaceAll('DIR', world.dir) }, { ...noCommands, commands: world.runner }),
  };
}

test('exit code 0 is healthy; otherwise its last words say why not', async (t) => {
  assert.deepEqual(await look(check(t, 'true').check), { kind: 'healthy' });
  const failed = await look(check(t, 'echo no answer; exit 4').check);
  assert.deepEqual(failed, { kind: 'unhealthy', reason: 'exit code 4: no answer' });
});

test('it finds whom it is for, in %s and in its environment', async (t) => {
  const line = '[ %s = nginx ] && [ "$MONITOR_PROCESS_NAME $MONITOR_PROCESS_ID $MONITOR_ATTEMPT" = "nginx 7 1" ]';
  assert.deepEqual(await look(check(t, line).check), { kind: 'healthy' });
});

test('a name that could be code is never run', async (t) => {
  const { world, check: hostile } = check(t, 'echo %s');
  for (const name of [`$(touch ${world.dir}/owned)`, `;touch ${world.dir}/owned`, '-n', '.', 'a b']) {
    assert.match(reason(await look(hostile, { name })), /cannot stand for %s/);
  }
  const { check: byVariable } = check(t, '[ "$MONITOR_PROCESS_NAME" = \'$(id)\' ]');
  assert.deepEqual(await look(byVariable, { name: '$(id)' }), { kind: 'healthy' });
  assert.match(reason(await look(byVariable, { name: 'a\0b' })), /NUL byte/);
  assert.ok(!existsSync(join(world.dir, 'owned')));
});

test('it ends at the limit and at an abort', async (t) => {
  const { world, check: slow } = check(t, 'sleep 60 & sleep 60');
  assert.match(reason(await look(slow, { timeoutMs: 200 })), /^still running after 0.2 s, killed/);
  assert.equal(reason(await look(slow, { signal: AbortSignal.abort() })), 'aborted');
  assert.deepEqual(world.carriers(), []);
});

test('checks are those that are configured', () => {
  assert.deepEqual(parseHealthChecks(new PlainSection({}))(noCommands), []);
  const keys = { health_check_tcp: 'db:5432', health_check_command: 'true', health_check_url: 'https://u:p@db/x?token=1' };
  assert.deepEqual(problemsOf(keys), []);
  assert.deepEqual(
    parseHealthChecks(new PlainSection(keys))(noCommands).map(({ description }) => description),
    ['health_check_command', 'health_check_url https://db/x', 'health_check_tcp db:5432'],
  );
});
