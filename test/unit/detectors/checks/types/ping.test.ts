import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CheckParts, CheckTarget } from '../../../../../src/detectors/checks/check.ts';
import { readPing } from '../../../../../src/detectors/checks/types/ping/output.ts';
import { pingCheck } from '../../../../../src/detectors/checks/types/ping.ts';
import type { CommandRunner, ShellCommand } from '../../../../../src/system/runs/runner.ts';
import { CommandWorld } from '../../../../helpers/command-world.ts';
import { type Keys, lookOnce, problemsWith } from '../../../../helpers/network-check.ts';
import { PlainSection } from '../../../../helpers/plain-section.ts';
import { missing } from '../../../../helpers/requirement.ts';

/** A check that runs what `commands` run. */
function pingWith(keys: Keys, commands: Pick<CommandRunner, 'run'>): CheckTarget {
  const check = { name: 'test', processName: undefined, systemName: 'test' };
  const section = new PlainSection(keys);
  const options = pingCheck.parse(section, check);
  assert.deepEqual(section.problems, []);
  assert(options !== undefined);
  return pingCheck.create(options, check, { commands } as unknown as CheckParts);
}

/** A program in the place of ping: what it prints, and its exit code. `lines`: what it was called with. */
function fakePing(t: TestContext, output: string, exitCode: number) {
  const world = new CommandWorld(t);
  const bin = join(world.dir, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'output'), output);
  const script = `#!/bin/sh\necho "$LC_ALL" "$@" >> ${bin}/lines\n/bin/cat ${bin}/output\nexit ${exitCode}\n`;
  writeFileSync(join(bin, 'ping'), script, { mode: 0o755 });
  const run = (command: ShellCommand, signal: AbortSignal) =>
    world.runner.run({ ...command, environment: { ...command.environment, PATH: bin } }, signal);
  const look = (keys: Keys = {}) => lookOnce(pingWith({ address: 'db1', ...keys }, { run }));
  return { look, lines: () => readFileSync(join(bin, 'lines'), 'utf8') };
}

// Recorded: iputils 20221126.
const answered = `PING db1 (192.0.2.7) 56(84) bytes of data.

--- db1 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 418ms
rtt min/avg/max/mdev = 10.029/20.535/40.043/0.005 ms
`;
const unanswered = `PING 192.0.2.77 (192.0.2.77) 56(84) bytes of data.

--- 192.0.2.77 ping statistics ---
2 packets transmitted, 0 received, 100% packet loss, time 202ms

`;
const errors = `PING 198.51.100.3 (198.51.100.3) 56(84) bytes of data.

--- 198.51.100.3 ping statistics ---
2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 202ms

`;
const lossy = answered.replace('3 received, 0%', '2 received, +1 duplicates, 33.3333%');
// Recorded: BusyBox 1.35.
const busybox = `PING 127.0.0.1 (127.0.0.1): 56 data bytes

--- 127.0.0.1 ping statistics ---
3 packets transmitted, 3 packets received, 0% packet loss
round-trip min/avg/max = 0.040/0.051/0.058 ms
`;
const busyboxUnsent = 'PING 192.0.2.77 (192.0.2.77): 56 data bytes\nping: sendto: Network is unreachable\n';

test('what ping writes', () => {
  assert.deepEqual(readPing(answered), { sent: 3, received: 3, averageMs: 20.535 });
  assert.deepEqual(readPing(unanswered), { sent: 2, received: 0, averageMs: undefined });
  assert.deepEqual(readPing(errors), { sent: 2, received: 0, averageMs: undefined });
  assert.deepEqual(readPing(lossy), { sent: 3, received: 2, averageMs: 20.535 });
  assert.deepEqual(readPing(busybox), { sent: 3, received: 3, averageMs: 0.051 });
  assert.deepEqual(readPing(busyboxUnsent), { unsent: 'Network is unreachable' });
  for (const other of ['', 'ping: db1: Name or service not known\n', '0 packets transmitted, 0 received\n', 'x'.repeat(65_536)])
    assert.equal(readPing(other), undefined);
});

test('it is judged by the answers, their number and their time', async (t) => {
  const well = fakePing(t, answered, 0);
  assert.equal(await well.look(), 'ok');
  assert.equal(await well.look({ max_response_time: '0.021' }), 'ok');
  assert.equal(
    await well.look({ max_response_time: '0.02' }),
    'failing: the answers took 0.021 s on average (expected at most 0.02 s)',
  );
  assert.equal(
    await fakePing(t, unanswered, 1).look({ packets: '2', max_loss_percent: '99' }),
    'failing: no answer to 2 packets',
  );
  const some = fakePing(t, lossy, 0);
  assert.equal(await some.look(), 'failing: 1 of 3 packets lost (expected at most 0%)');
  assert.equal(await some.look({ max_loss_percent: '33' }), 'failing: 1 of 3 packets lost (expected at most 33%)');
  assert.equal(await some.look({ max_loss_percent: '34' }), 'ok');
  // In English, and with a wait that fits into the 30 s of the look.
  assert.equal(some.lines().split('\n')[0], 'C -n -q -c 3 -i 0.2 -W 29 -- db1');
});

test('what says nothing about the host is unknown', async (t) => {
  assert.equal(
    await fakePing(t, 'ping: no-such.invalid: Name or service not known\n', 2).look(),
    'unknown: exit code 2: ping: no-such.invalid: Name or service not known',
  );
  assert.equal(
    await fakePing(t, 'ping: socket: Operation not permitted\n', 2).look(),
    'unknown: exit code 2: ping: socket: Operation not permitted',
  );
  assert.equal(
    await fakePing(t, `ping: sendmsg: Operation not permitted\n${unanswered}`, 1).look(),
    'unknown: a packet could not be sent: Operation not permitted',
  );
  assert.equal(await fakePing(t, 'PONG\n', 0).look(), 'unknown: what ping wrote cannot be understood');
  const long = await fakePing(t, `${'x'.repeat(300)}\n`.repeat(5), 3).look();
  assert(long.length < 520 && long.startsWith('unknown: exit code 3: xxx'), long);
  const world = new CommandWorld(t);
  const run = (command: ShellCommand, signal: AbortSignal) =>
    world.runner.run({ ...command, environment: { PATH: world.dir } }, signal);
  assert.equal(await lookOnce(pingWith({ address: 'db1' }, { run })), 'unknown: ping is not installed (exit code 127)');
  const stuck = fakePing(t, '', 0);
  assert.match(await stuck.look({ packets: '1' }), /^unknown: what ping wrote/);
});

test('the real ping', { skip: missing('ping') }, async (t) => {
  const { runner } = new CommandWorld(t);
  const look = (keys: Keys, timeoutMs?: number) => lookOnce(pingWith(keys, runner), timeoutMs);
  assert.equal(await look({ address: '127.0.0.1', max_response_time: '20' }), 'ok');
  assert.equal(await look({ address: 'localhost', packets: '1' }), 'ok');
  assert.match(await look({ address: 'no-such-host.invalid', packets: '1' }), /^unknown: /);
  // Nothing can be there.
  assert.match(await look({ address: '0.0.0.255', packets: '1' }, 5000), /^(unknown|failing): /);
  assert.equal(pingWith({ address: '::1' }, runner).description, 'ping ::1');
});

test('an address is one word, and no option', () => {
  for (const address of [
    'a b',
    'a;b',
    '$(id)',
    '`id`',
    '-f',
    '--',
    "a'b",
    'a"b',
    'a\\b',
    'a*',
    'a>b',
    'a&b',
    'a|b',
    '127.1',
    '1',
    'fe80::1%a;b',
    'db1:80',
    '[::1]',
  ]) {
    const [problem = ''] = problemsWith(pingCheck, { address });
    assert.match(problem, /^address: invalid value ".*", expected a host name or an IP address$/, address);
  }
  for (const address of ['db1', 'db_1.example.test.', '192.0.2.1', '::1', '2001:db8::1', 'fe80::1%eth0', 'bücher.example'])
    assert.deepEqual(problemsWith(pingCheck, { address }), [], address);
});

test('what is wrong with the keys is said', () => {
  assert.deepEqual(problemsWith(pingCheck, {}), [
    'address: is missing: type = ping needs an address, a host name or an IP address',
  ]);
  assert.deepEqual(problemsWith(pingCheck, { address: 'db1', packets: '20' }), []);
  assert.deepEqual(problemsWith(pingCheck, { address: 'db1', packets: '20', timeout: '4' }), [
    'timeout: is too short for 20 packets: a host that does not answer is unknown then (expected at least 5)',
  ]);
});
