import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGUN, isUnderWay, readVerdict, verdictResult } from '../../../../src/system/runs/verdict.ts';
import { commandFailure } from '../../../../src/system/spawn/command-result.ts';

const begun = `Running as unit: x.service\n${BEGUN}\n`;

test('the words of systemd 239 to 255', () => {
  const end = (result: string, code: string): string =>
    `${begun}Finished with result: ${result}\nMain processes terminated with: ${code}\nService runtime: 5ms\n`;
  assert.deepEqual(readVerdict(end('success', 'code=exited/status=0')), { kind: 'exited', exitCode: 0 });
  assert.deepEqual(readVerdict(end('exit-code', 'code=exited/status=217')), { kind: 'exited', exitCode: 217 });
  assert.deepEqual(readVerdict(end('success', 'code=killed/status=TERM')), { kind: 'signaled', signal: 'SIGTERM' });
  assert.deepEqual(readVerdict(end('core-dump', 'code=dumped/status=SEGV')), { kind: 'signaled', signal: 'SIGSEGV' });
  assert.deepEqual(readVerdict(end('timeout', 'code=killed/status=KILL')), { kind: 'timed_out' });
  assert.deepEqual(readVerdict(end('timeout', 'code=exited/status=0')), { kind: 'timed_out' });
});

test('the words of systemd 256 and later', () => {
  const end = (result: string, code: string): string =>
    `Running as unit: x.service; invocation ID: 0123456789abcdef0123456789abcdef\n${BEGUN}\n` +
    `          Finished with result: ${result}\nMain processes terminated with: ${code}\n` +
    '               Service runtime: 5ms\n             CPU time consumed: 3ms\n                   Memory peak: 1M (swap: 0B)\n';
  assert.deepEqual(readVerdict(end('success', 'code=exited, status=0/SUCCESS')), { kind: 'exited', exitCode: 0 });
  assert.deepEqual(readVerdict(end('exit-code', 'code=exited, status=7/n/a')), { kind: 'exited', exitCode: 7 });
  assert.deepEqual(readVerdict(end('timeout', 'code=killed, status=15/TERM')), { kind: 'timed_out' });
  assert.deepEqual(readVerdict(end('signal', 'code=killed, status=9/KILL')), { kind: 'signaled', signal: 'SIGKILL' });
});

test('what never began is told from what was lost', () => {
  assert.deepEqual(readVerdict('Failed to start transient service unit: Connection timed out\n'), {
    kind: 'not_started',
    reason: 'Failed to start transient service unit: Connection timed out',
  });
  assert.deepEqual(readVerdict(''), { kind: 'not_started', reason: 'systemd-run ended without a word' });
  assert.deepEqual(
    readVerdict(
      'Running as unit: x.service\nFinished with result: exit-code\nMain processes terminated with: code=exited/status=203\n',
    ),
    { kind: 'not_started', reason: 'systemd-run says only: exit-code, 203' },
  );
  assert.deepEqual(
    readVerdict(`${begun}Failed to query unit state: Connection reset by peer\nFinished with result: success\n`),
    {
      kind: 'lost',
      reason: 'Failed to query unit state: Connection reset by peer',
    },
  );
  assert.equal(readVerdict(begun).kind, 'lost', 'also where systemd-run itself was killed');
});

test('a unit can be stopped once systemd has it', () => {
  assert.equal(isUnderWay(begun), true);
  assert.equal(isUnderWay(''), false);
});

test('a verdict becomes the result that the port knows', () => {
  const timedOut = verdictResult({ kind: 'timed_out' }, 1500, 'last words\n');
  assert.equal(commandFailure(timedOut), 'still running after 1.5 s, killed: last words');
  assert.equal(commandFailure(verdictResult({ kind: 'exited', exitCode: 0 }, 1, '')), undefined);
});
