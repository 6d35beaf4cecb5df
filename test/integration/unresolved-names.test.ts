import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { createControlClient } from '../../src/control/client.ts';
import type { OrderClient } from '../../src/control/orders.ts';
import type { ProcessStatus } from '../../src/control/status.ts';
import { addRows } from '../helpers/core-world.ts';
import { DaemonProcess } from '../helpers/daemon.ts';
import { dnsServer } from '../helpers/dns-server.ts';
import { freePort } from '../helpers/free-port.ts';
import { leftovers } from '../helpers/leftovers.ts';
import { ownNamesNeed, withOwnNames } from '../helpers/own-names.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait-for.ts';

const DEAD = Array.from({ length: 6 }, (_, i) => `web${i}`);
const WELL = ['local', 'listed', 'directory'];

/** A daemon whose processes are healthy where their URLs answer, in a world of names of its own. */
class World {
  readonly dir: string;
  readonly #launcher: readonly string[];
  readonly #client: OrderClient;

  constructor(t: TestContext, server: string, urls: Readonly<Record<string, string>>) {
    this.dir = tempDir(t);
    const names = Object.keys(urls);
    const sections = names.map(
      (name) =>
        `[process.${name}]\nrestart_strategy = custom\nrestart_command = echo ${name} >>${this.dir}/restarts\n` +
        `health_check_url = ${urls[name]}\nhealth_check_timeout = 6\nmax_attempts = 1\n`,
    );
    const socket = join(this.dir, 'control.sock');
    const own =
      `[database]\ndriver = sqlite\npath = ${this.dir}/a.db\n[monitor]\ncheck_interval = 1\nmax_restart_failures = 100\n` +
      `state_dir = ${this.dir}/state\n[logging]\nfile =\n[control]\nsocket = ${socket}\n`;
    writeFileSync(join(this.dir, 'config.ini'), own + sections.join(''), { mode: 0o600 });
    writeFileSync(join(this.dir, 'restarts'), '');
    addRows(this.dir, names, true);
    this.#client = createControlClient(socket);
    this.#launcher = withOwnNames(t, {
      resolv: [`nameserver ${server}`],
      sources: 'files dns nss',
      hosts: ['127.0.0.1 listed.example.test'],
    });
  }

  start(t: TestContext): Promise<DaemonProcess> {
    return DaemonProcess.started(t, join(this.dir, 'config.ini'), {}, [], this.#launcher);
  }

  async process(name: string): Promise<ProcessStatus> {
    const found = (await this.#client.status()).processes.find((process) => process.name === name);
    assert(found, name);
    return found;
  }

  restarts(name: string): number {
    return readFileSync(join(this.dir, 'restarts'), 'utf8')
      .split('\n')
      .filter((line) => line === name).length;
  }

  async inAlarm(): Promise<string[]> {
    const database = new DatabaseSync(join(this.dir, 'a.db'), { readOnly: true, timeout: 10_000 });
    const rows = database
      .prepare('SELECT process_name AS name FROM PROCESE JOIN STATUS_PROCESS USING (process_id) WHERE alarma = 1')
      .all();
    database.close();
    return rows.map(({ name }) => String(name));
  }
}

test('names that nobody answers for hold no healthy process up, and have nothing restarted twice', ownNamesNeed, async (t) => {
  const dns = await dnsServer(t, {}, 'silent', { host: '127.0.0.102', port: 53 }).catch(() => undefined);
  if (dns === undefined) return t.skip('port 53 of 127.0.0.102 is taken');
  const site = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => site.close());
  const { port } = site.address() as AddressInfo;
  const closed = await freePort();
  const world = new World(t, '127.0.0.102', {
    local: `http://localhost:${port}/`,
    listed: `http://listed.example.test:${port}/`,
    // Known to a source of nsswitch.conf alone.
    directory: `http://directory.nss.test:${port}/`,
    ...Object.fromEntries(DEAD.map((name) => [name, `http://${name}.example.test:${name === 'web5' ? closed : port}/`])),
  });
  const first = await world.start(t);
  await waitFor('those that can be found are well', async () => {
    const alarms = await world.inAlarm();
    return WELL.every((name) => !alarms.includes(name));
  });
  for (const name of WELL) assert.equal(world.restarts(name), 1, name);
  const looks = (name: string): number => dns.asked.filter((question) => question === `${name}.example.test 4`).length;
  const unproved = async (): Promise<void> => {
    for (const name of DEAD) {
      const reason = `not proved: ${name}.example.test could not be resolved`;
      await waitFor(`${name} is not proved`, async () => (await world.process(name)).reason === reason);
      const { inAlarm, breaker } = await world.process(name);
      assert.deepEqual([inAlarm, breaker.state, breaker.failures], [true, 'closed', 0]);
    }
  };
  await unproved();
  const before = new Map(DEAD.map((name) => [name, looks(name)]));
  await waitFor('they are looked at again and again', () => DEAD.every((name) => looks(name) > (before.get(name) ?? 0) + 8));
  for (const name of DEAD) assert.equal(world.restarts(name), 1, name);
  assert.deepEqual(await first.stop(), { code: 0, signal: null });
  assert.equal(first.stdout().match(/web0, not proved: web0\.example\.test could not be resolved/g)?.length, 1, 'told once');
  await waitFor('no child is left', () => asking().length === 0);

  const second = await world.start(t);
  await unproved();
  dns.otherwise = ['127.0.0.1'];
  await waitFor('whoever answers now is proved', async () => (await world.inAlarm()).every((name) => name === 'web5'));
  for (const name of DEAD.slice(0, 5)) assert.equal(world.restarts(name), 1, name);
  await waitFor('what is certainly down is restarted again', () => world.restarts('web5') > 2);
  assert.ok((await world.process('web5')).breaker.failures > 0);
  assert.deepEqual(await second.stop(), { code: 0, signal: null });
  await waitFor('nothing is left', () => leftovers(world.dir).length === 0);
});

/** Processes that look for one of the names. */
function asking(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('.example.test');
    } catch {
      return false;
    }
  });
}
