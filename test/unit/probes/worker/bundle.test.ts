import assert from 'node:assert/strict';
import { chmodSync, cpSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { directStarter } from '../../../../src/probes/worker/start-direct.ts';
import { createCertificates } from '../../../helpers/certificates.ts';
import { dnsServer } from '../../../helpers/dns-server.ts';
import { asRoot, missing } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { bundledProgram, listening, never, openWorker, tcpWork, urlWork } from '../../../helpers/worker-world.ts';

// The worker of the bundle, as it is installed: in a folder that only root can enter.

test('as a user of its own it has all that it needs, although it cannot read its own folder', {
  skip: asRoot.skip || missing('openssl'),
}, async (t) => {
  const dir = tempDir(t);
  const { folder, entry } = bundledProgram();
  cpSync(folder, join(dir, 'dist'), { recursive: true });
  createCertificates(dir, ['IP:127.0.0.1'], 100);
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  chmodSync(dir, 0o700);
  const world = openWorker(t, directStarter({ folder: join(dir, 'dist'), entry }));
  const server = createServer({ cert: read('server.pem'), key: read('server.key') }, (_request, response) =>
    response.end('well'),
  );
  const port = await listening(t, server);
  const work = {
    ...urlWork(`https://127.0.0.1:${port}/`),
    ca: read('ca.pem'),
    expectBody: { kind: 'text', text: 'well' },
  } as const;
  assert.deepEqual(await world.worker.ask(work, 30_000, never), { kind: 'ok' });
  assert.match(readFileSync(`/proc/${await world.pid()}/status`, 'utf8'), /^Uid:\t(6[1-5]\d{3})\t\1\t\1\t\1$/m);
  const dns = await dnsServer(t, { 'www.example.test': ['192.0.2.1'] });
  const question = { type: 'dns', name: 'www.example.test', record: 'A', server: dns.address, expect: ['192.0.2.1'] } as const;
  assert.deepEqual(await world.worker.ask(question, 30_000, never), { kind: 'ok' });
  const unknown = await world.worker.ask(tcpWork(1, { host: 'no-such-host.invalid' }), 30_000, never);
  assert(unknown.kind === 'unknown');
  assert.match(unknown.reason, /^no-such-host\.invalid could not be resolved: /);
  assert.doesNotMatch(unknown.reason, /getent/, 'getent can be run');
});
