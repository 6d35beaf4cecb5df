import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGUN, verdictOf, verdictResult } from '../../../../src/system/runs/verdict.ts';
import { commandFailure } from '../../../../src/system/spawn/command-result.ts';

const over = { activeState: 'inactive', mainPid: 0, invocation: '' };
const [exited, killed, dumped] = [1, 2, 3];

test('how systemd reports an end', () => {
  const of = (result: string, code: number, status: number) => verdictOf({ ...over, result, code, status }, `${BEGUN}\n`);
  assert.deepEqual(of('success', exited, 0), { kind: 'exited', exitCode: 0 });
  assert.deepEqual(of('exit-code', exited, 217), { kind: 'exited', exitCode: 217 });
  assert.deepEqual(of('success', killed, 15), { kind: 'signaled', signal: 'SIGTERM' });
  assert.deepEqual(of('core-dump', dumped, 11), { kind: 'signaled', signal: 'SIGSEGV' });
  assert.deepEqual(of('signal', killed, 37), { kind: 'signaled', signal: 'SIGRTMIN+3' });
  assert.deepEqual(of('timeout', killed, 9), { kind: 'timed_out' });
  assert.deepEqual(of('timeout', exited, 0), { kind: 'timed_out' });
  assert.equal(of('resources', 0, 0).kind, 'lost');
});

test('what never began says why', () => {
  const of = (words: string) => verdictOf({ ...over, result: 'exit-code', code: exited, status: 203 }, words);
  assert.deepEqual(of(''), { kind: 'not_started', reason: 'systemd could not run it (exit-code, 203)' });
  assert.deepEqual(of('setpriv: initgroups failed\u001b[1m\nmore\n'), {
    kind: 'not_started',
    reason: 'setpriv: initgroups failed?[1m',
  });
});

test('a verdict becomes the result that the port knows', () => {
  const timedOut = verdictResult({ kind: 'timed_out' }, 1500, 'last words\n');
  assert.equal(commandFailure(timedOut), 'still running after 1.5 s, killed: last words');
  assert.equal(commandFailure(verdictResult({ kind: 'exited', exitCode: 0 }, 1, '')), undefined);
  const lost = verdictResult({ kind: 'lost', reason: 'nobody saw it' }, 1, 'last words\n');
  assert.equal(commandFailure(lost), 'how it ended is not known: nobody saw it: last words');
});
