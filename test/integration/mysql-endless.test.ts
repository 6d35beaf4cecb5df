import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { type Answers, endlessly, type Protocol, sendColumns, serveStatements } from '../helpers/fake-mysql.ts';
import { missing } from '../helpers/requirement.ts';
import { type RoguePeer, rogueCertificate, type Script, startRogue } from '../helpers/rogue-mysql.ts';
import { CLIENT, columnPacket, eofPacket, errorPacket, okPacket, preparedPacket, rowPacket } from '../helpers/rogue-packets.ts';

/** What a poll of its own process said, and what it took. */
interface Poll {
  readonly said: string;
  /** MiB resident at most, before and in all. */
  readonly before: number;
  readonly peak: number;
  readonly tookMs: number;
}

async function pollBy(t: TestContext, port: number, idleMs: number, options: object): Promise<Poll> {
  const program = join(import.meta.dirname, '../fixtures/poll-once.ts');
  const child = spawn(process.execPath, [program, String(port), String(idleMs), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  assert.equal(stderr, '', 'nothing is printed');
  return JSON.parse(stdout) as Poll;
}

const login = async (peer: RoguePeer): Promise<void> => {
  peer.greet();
  await peer.read();
  peer.send(okPacket());
};

/** Lets the client in, answers what comes before, and then the poll, or what is asked without a preparation, in this way. */
const answering =
  (answer: (peer: RoguePeer) => Promise<unknown>, protocol: Protocol = 'prepared'): Script =>
  async (peer) => {
    await login(peer);
    await serveStatements(peer, onPoll(peer, answer, protocol));
  };

const onPoll =
  (peer: RoguePeer, answer: (peer: RoguePeer) => Promise<unknown>, wanted: Protocol = 'prepared'): Answers =>
  (sql, protocol) =>
    sql.startsWith('SELECT') && protocol === wanted ? async () => void (await answer(peer)) : undefined;

/** Many packets in one block. */
const block = (peer: RoguePeer, payload: Buffer, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => peer.framed(payload)));

const COLUMNS = ['process_id', 'process_name', 'alarma', 'silent', 'notes', 'notesDigest'];
const HUGE = Buffer.alloc(0xff_ffff, 0x61);
const huge = (peer: RoguePeer): Buffer => peer.framed(HUGE);

interface Endless {
  readonly script: Script;
  readonly words: RegExp;
  readonly idleMs?: number;
  readonly options?: object;
}

const CASES: Readonly<Record<string, Endless>> = {
  'rows without end': {
    script: answering(async (peer) => {
      sendColumns(peer, COLUMNS);
      const row = rowPacket(COLUMNS.map((name) => `${name} 0123456789`));
      await endlessly(peer, () => block(peer, row, 1000));
    }),
    words: /failed: .*the answer has more than 100000 rows$/,
  },
  'rows of 4,000 characters without end': {
    script: answering(async (peer) => {
      sendColumns(peer, COLUMNS);
      const row = rowPacket(['1', 'a', '1', '0', 'x'.repeat(4000), null]);
      await endlessly(peer, () => block(peer, row, 16));
    }),
    words: /failed: .*the answer is larger than 64 MiB$/,
  },
  'empty rows without end': {
    script: answering(async (peer) => {
      sendColumns(peer, ['a']);
      await endlessly(peer, () => block(peer, Buffer.from([0, 4]), 10_000));
    }),
    words: /failed: .*the answer has more than 100000 rows$/,
  },
  'rows of 250 empty columns without end': {
    script: answering(async (peer) => {
      sendColumns(
        peer,
        Array.from({ length: 250 }, (_, i) => `c${i}`),
      );
      const row = rowPacket(Array.from({ length: 250 }, () => null));
      await endlessly(peer, () => block(peer, row, 1000));
    }),
    words: /failed: .*the answer has more than 4000 rows$/,
  },
  'rows without end to what is not prepared': {
    script: answering(async (peer) => {
      sendColumns(peer, ['a', 'b']);
      await endlessly(peer, () => block(peer, Buffer.from('\u0003abc\u0003def'), 1000));
    }, 'text'),
    words: /failed: .*the answer has more than 100000 rows$/,
  },
  'a request for a file of ours in the place of what is not prepared': {
    script: answering(async (peer) => void peer.send(Buffer.from('\u00fb/etc/shadow', 'latin1')), 'text'),
    words: /failed: .*it asked for a file of this machine; nothing was sent$/,
  },
  'one row without end': {
    script: answering(async (peer) => {
      sendColumns(peer, ['a']);
      await endlessly(peer, () => huge(peer));
    }),
    words: /failed: .*the answer is larger than 64 MiB$/,
  },
  'columns without end': {
    script: answering(async (peer) => {
      peer.send(Buffer.of(0xfd, 0xff, 0xff, 0xff));
      await endlessly(peer, () => block(peer, columnPacket('a'), 1000));
    }),
    words: /failed: .*the answer has more than 1000 columns$/,
  },
  'answers to one statement without end': {
    script: answering(async (peer) => {
      await endlessly(peer, () => block(peer, okPacket({ moreResults: true }), 1000));
    }),
    words: /failed: .*it sent several results for one statement$/,
  },
  'results to one statement without end': {
    script: answering(async (peer) => {
      const end = Buffer.of(0xfe, 0, 0, 0x0a, 0);
      await endlessly(peer, () =>
        Buffer.concat([Buffer.of(1), columnPacket('a'), eofPacket(), end].map((packet) => peer.framed(packet))),
      );
    }),
    words: /failed: .*it sent several results for one statement$/,
  },
  'an error message without end': {
    script: answering(async (peer) => {
      peer.write(peer.framed(Buffer.concat([errorPacket(1064, '42000', ''), HUGE]).subarray(0, 0xff_ffff)));
      await endlessly(peer, () => huge(peer));
    }),
    words: /failed: .*the answer is larger than 64 MiB$/,
  },
  'an error message of 15 MB': {
    script: answering(async (peer) => void peer.send(errorPacket(1064, '42000', Buffer.alloc(15_000_000, 0x61)))),
    words: /failed: .*its error message is too long$/,
  },
  'parameters of a statement without end': {
    script: async (peer) => {
      await login(peer);
      for (let packet = await peer.read(); packet[0] !== 0x16; packet = await peer.read()) {
        if (packet.subarray(1).toString().startsWith('SET')) peer.send(okPacket());
        else {
          sendColumns(peer, ['none']);
          peer.send(eofPacket());
        }
      }
      peer.send(
        Buffer.concat([preparedPacket(1).subarray(0, 5), Buffer.of(0xff, 0xff, 0xff, 0xff), preparedPacket(1).subarray(9)]),
      );
      await endlessly(peer, () => block(peer, columnPacket('?'), 1000));
    },
    words: /failed: .*the answer has more than 1000 columns$/,
  },
  'a greeting without end': {
    script: async (peer) => {
      await endlessly(peer, () => Buffer.concat([Buffer.of(0xff, 0xff, 0xff, 0, 10), Buffer.alloc(0xff_fffe, 0x38)]));
    },
    words: /unreachable: .*this is not a MySQL server/,
  },
  'a plugin name without end': {
    script: async (peer) => {
      peer.greet();
      await peer.read();
      peer.write(peer.framed(Buffer.concat([Buffer.of(0xfe), HUGE]).subarray(0, 0xff_ffff)));
      await endlessly(peer, () => huge(peer));
    },
    words: /failed: .*its login is larger than 64 KiB$/,
  },
  'challenges without end': {
    script: async (peer) => {
      peer.greet();
      await peer.read();
      for (;;) {
        peer.switchTo('caching_sha2_password');
        await peer.read();
      }
    },
    words: /failed: .*its login has too many packets$/,
  },
  'a request for a file of ours': {
    script: answering(async (peer) => void peer.send(Buffer.from('\u00fb/etc/shadow', 'latin1'))),
    words: /failed: .*it asked for a file of this machine; nothing was sent$/,
  },
  'a packet without end while nothing is asked': {
    script: async (peer) => {
      await login(peer);
      await serveStatements(
        peer,
        onPoll(peer, async () => {
          sendColumns(peer, ['a']);
          peer.send(eofPacket());
          setTimeout(() => void endlessly(peer, () => peer.framed(HUGE, 0)), 100);
        }),
      );
    },
    // On a busy machine it comes while the poll still reads its answer.
    words: /^done$|^unreachable: |: the answer is larger than 64 MiB$/,
    idleMs: 1500,
  },
  'rows without end, compressed': {
    script: async (peer) => {
      peer.greet({ capabilities: CLIENT.COMPRESS });
      await peer.read();
      peer.send(okPacket());
      // Whatever is asked: the client is not understood, and need not be.
      await peer.readBytes();
      const inflated = Buffer.alloc(16_000_000, 0x61);
      inflated.writeUIntLE(0xff_ffff, 0, 3);
      const deflated = deflateSync(Buffer.concat([Buffer.of(0xff, 0xff, 0xff, 1), Buffer.alloc(0xff_ffff - 4, 0x61)]));
      let sequence = 1;
      await endlessly(peer, () => {
        const head = Buffer.alloc(7);
        head.writeUIntLE(deflated.length, 0, 3);
        head[3] = sequence++ & 0xff;
        head.writeUIntLE(0xff_ffff, 4, 3);
        return Buffer.concat([head, deflated]);
      });
    },
    // What cannot be read may be noticed before it is too much.
    words: /failed: .*the answer is larger than 64 MiB$|^unreachable: /,
    options: { compress: true },
  },
};

for (const [name, { script, words, idleMs = 0, options = {} }] of Object.entries(CASES))
  test(`${name}: given up at once, within bounds`, { timeout: 300_000 }, async (t) => {
    const rogue = await startRogue(t, script);
    const poll = await pollBy(t, rogue.port, idleMs, options);
    t.diagnostic(JSON.stringify(poll));
    assert.match(poll.said, words);
    assert.ok(poll.tookMs < 20_000, `took ${poll.tookMs} ms`);
    assert.ok(poll.peak - poll.before < MOST_MIB, `${poll.peak} MiB resident, ${poll.before} before`);
    assert.equal(rogue.heard().includes('root:'), false);
  });

/** Over what an idle process has: 64 MiB as they come, and as long again until they are let go. */
const MOST_MIB = 300;

test('rows without end over TLS', { skip: missing('openssl'), timeout: 300_000 }, async (t) => {
  const rogue = await startRogue(t, async (peer) => {
    peer.greet({ capabilities: CLIENT.SSL });
    await peer.startTls(rogueCertificate());
    await peer.read();
    peer.send(okPacket());
    await serveStatements(
      peer,
      onPoll(peer, async () => {
        sendColumns(peer, ['a']);
        await endlessly(peer, () => huge(peer));
      }),
    );
  });
  const poll = await pollBy(t, rogue.port, 0, { ssl: 'required' });
  t.diagnostic(JSON.stringify(poll));
  assert.match(poll.said, /the answer is larger than 64 MiB$/);
  assert.ok(poll.peak - poll.before < MOST_MIB, `${poll.peak} MiB resident, ${poll.before} before`);
});
