import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { createLogger } from '../../../src/logging/logger.ts';
import type { LoggingOptions } from '../../../src/logging/parse-logging.ts';
import { RecordedStream } from '../../helpers/recorded-stream.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const clock = { ...systemClock, date: () => new Date(2026, 0, 2, 3, 4, 5) };
const stamp = '2026-01-02 03:04:05  ';

test('one line, one line in each sink, each in its own manner', async (t) => {
  const { log, stdout, stderr, syslog, path } = create(t, {});
  log.debug('too low');
  log.info('RESTART LOG: %s 100%d', { process_name: 'nginx', attempt: 1 });
  log.warning('odd\u001b[31m');
  log.error('failed', { err: new Error('no such file') });
  await log.close();
  const text = [
    `${stamp}[INFO] - RESTART LOG: %s 100%d`,
    `${stamp}[WARNING] - odd?[31m`,
    `${stamp}[ERROR] - failed: no such file`,
    '',
  ];
  assert.equal(readFileSync(path, 'utf8'), text.join('\n'));
  assert.equal(stdout.text, text.join('\n'));
  assert.equal(stderr.text, '');
  assert.deepEqual(syslog, [`<27>Jan  2 03:04:05 monitor_service[${process.pid}]: failed: no such file`]);
});

test('JSON has it all', async (t) => {
  const { log, path } = create(t, { format: 'json' }, { host: 'db1' });
  log.warning('message', {
    process_name: 'a\nb',
    duration_ms: 5,
    time: 'x',
    host: 'ngi\u200bnx',
    pid: 5,
    err: Object.assign(new Error('m'), { code: 'C' }),
  });
  await log.close();
  const { err, ...line } = JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual(line, {
    level: 'warning',
    time: clock.date().toISOString(),
    host: 'db1',
    pid: process.pid,
    process_name: 'a b',
    duration_ms: 5,
    time_: 'x',
    host_: 'nginx',
    pid_: 5,
    msg: 'message',
  });
  assert.equal(err.message, 'm');
  assert.equal(err.code, 'C');
});

test('verbose is for the terminal only; syslog gets all if it is configured so', async (t) => {
  const { log, stdout, syslog, path } = create(t, { syslog: 'all' }, { verbose: true });
  log.debug('fine');
  log.info('coarse');
  await log.close();
  assert.match(stdout.text, /fine\n.*coarse/);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /fine/);
  assert.equal(syslog.length, 1);
});

test('no line twice: nothing goes to syslog while standard output is the journal', async (t) => {
  const fd = openSync(join(tempDir(t), 'x'), 'w');
  t.after(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd);
  const { log, stdout, syslog } = create(t, {}, { fd, env: { JOURNAL_STREAM: `${dev}:${ino}` } });
  log.error('one');
  assert.equal(stdout.text, '<3>[ERROR] - one\n');
  assert.deepEqual(syslog, []);
  stdout.emit('error', new Error('EPIPE'));
  log.error('two');
  assert.equal(syslog.length, 1);
});

test('a reload changes level, format and file from the next line on', async (t) => {
  const { log, options, path, syslog } = create(t, {});
  log.info('one');
  log.reconfigure({ ...options, level: 'error', syslog: 'off', maxBytes: 50_000 }, 'db1');
  log.info('two');
  log.error('three');
  log.reconfigure({ ...options, file: `${path}.other`, format: 'json' }, 'db2');
  log.info('four');
  log.reconfigure({ ...options, file: undefined }, 'db2');
  log.info('five');
  await log.close();
  assert.equal(readFileSync(path, 'utf8'), `${stamp}[INFO] - one\n${stamp}[ERROR] - three\n`);
  const { time, ...four } = JSON.parse(readFileSync(`${path}.other`, 'utf8'));
  assert.deepEqual(four, { level: 'info', host: 'db2', pid: process.pid, msg: 'four' });
  assert.equal(time, clock.date().toISOString());
  assert.deepEqual(syslog, []);
});

test('an unknown group: one warning, and the log is written', async (t) => {
  const { log, stderr, path } = create(t, { group: 'no such group' });
  log.info('one');
  await log.close();
  assert.match(stderr.text, /^.*\[WARNING\] - Log file .*: there is no group "no such group"\n$/);
  assert.match(readFileSync(path, 'utf8'), /one/);
});

test('fields that bite do not reach the caller', async (t) => {
  const { log, stdout } = create(t, {});
  const biting = {
    get trap(): string {
      throw new Error('bitten');
    },
  };
  log.info('one', biting);
  log.info('two', new Proxy({}, { ownKeys: () => assert.fail('bitten') }));
  log.info(undefined as unknown as string);
  await log.close();
  assert.equal(stdout.text, `${stamp}[INFO] - one\n${stamp}[INFO] - two\n${stamp}[INFO] - undefined\n`);
});

test('without file and syslog nothing is opened', async (t) => {
  const { log, dir } = create(t, { file: undefined, syslog: 'off' });
  log.error('one');
  await log.close();
  assert.deepEqual(readdirSync(dir), []);
});

test('a line costs little', async (t) => {
  const { log } = create(t, { maxBytes: 5_120_000, syslog: 'off' });
  const before = process.cpuUsage();
  for (let i = 0; i < 5_000; i++)
    log.info(`RESTART LOG: line ${i} for nginx`, { process_name: 'nginx', process_id: i, attempt: 1 });
  const { user, system } = process.cpuUsage(before);
  const microseconds = (user + system) / 5_000;
  t.diagnostic(`${microseconds.toFixed(0)} µs of CPU a line`);
  assert.ok(microseconds < 500);
});

function create(
  t: TestContext,
  changes: Partial<LoggingOptions>,
  {
    verbose = false,
    fd = 1,
    env = {},
    host = 'vm',
  }: { verbose?: boolean; fd?: number; env?: Record<string, string>; host?: string } = {},
) {
  const dir = tempDir(t);
  const path = join(dir, 'm.log');
  const options: LoggingOptions = {
    file: path,
    maxBytes: 100_000,
    filesToKeep: 2,
    level: 'info',
    format: 'text',
    syslog: 'error',
    mode: 0o640,
    group: undefined,
    ...changes,
  };
  const stdout = new RecordedStream({ fd });
  const stderr = new RecordedStream({ fd: 2 });
  const syslog: string[] = [];
  const send = (bytes: Buffer): 'sent' => {
    syslog.push(String(bytes));
    return 'sent';
  };
  const openDatagram = () => ({ send, close: () => {} });
  const log = createLogger(options, { verbose, host, openDatagram, stdout, stderr, env, clock });
  t.after(() => log.close());
  return { log, stdout, stderr, syslog, dir, path, options };
}
