import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { lastLines } from '../../../src/core/text/last-lines.ts';
import { journalOf } from '../../../src/system/systemd/unit/journal.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

/** What `command` wrote in a unit of its own, as a failure has it. */
async function told(name: string, ...command: readonly string[]): Promise<string[]> {
  const sinceMs = Date.now();
  spawnSync('systemd-run', ['--quiet', '--wait', '--collect', `--unit=${name}`, ...command], { stdio: 'ignore' });
  return lastLines(await journalOf({ unit: `${name}.service`, invocation: '', sinceMs }, LIMIT), LIMIT.entries);
}

const LIMIT = { entries: 5, timeoutMs: 30_000 };

/** Each of the expressions is an entry, by the journal's native protocol. */
function entries(...messages: readonly string[]): string[] {
  return ['/usr/bin/python3', '-c', `${SEND}\nfor text in [${messages.join()}]: send(text)`];
}

/** In a sealed file in memory: a datagram would hold 200 KB. */
const SEND = `
import fcntl, os, socket, struct
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
out.connect('/run/systemd/journal/socket')
def send(text):
    fd = os.memfd_create('entry', os.MFD_ALLOW_SEALING)
    for piece in (b'MESSAGE\\n', struct.pack('<Q', len(text)), text, b'\\n'):
        view = memoryview(piece)
        while view: view = view[os.write(fd, view):]
    fcntl.fcntl(fd, 1033, 15)
    socket.send_fds(out, [b''], [fd])
    os.close(fd)
`;

test('the last lines are the newest ones, however long those before them are', async () => {
  const long = 'for i in 1 2 3 4; do head -c 40000 /dev/zero | tr "\\0" x; echo; done';
  const lines = await told('long-lines', 'sh', '-c', `${long}; echo FATAL: the real reason; exit 1`);
  assert.deepEqual(lines, [...Array<string>(4).fill('x'.repeat(200)), 'FATAL: the real reason']);
});

test('entries of several lines are given from their first line to their last, the oldest one first', async () => {
  const lines = await told('several-lines', ...entries("b'a1\\na2\\na3'", "b'b1\\xff\\x1b'", "b'c1\\n\\nMESSAGE=c3'"));
  assert.deepEqual(lines, ['a2', 'a3', 'b1\ufffd?', 'c1', 'MESSAGE=c3']);
});

test('only the beginning of entries of many megabytes is read', async () => {
  const huge = "b'FATAL: ' + os.urandom(8 << 20).hex().encode()";
  const before = process.resourceUsage().maxRSS;
  assert.match((await told('huge-entries', ...entries(...Array<string>(5).fill(huge)))).join('|'), /^FATAL: [0-9a-f]{193}$/);
  const grownKb = process.resourceUsage().maxRSS - before;
  assert.ok(grownKb < 16 * 1024, `${grownKb} KiB more`);
});
