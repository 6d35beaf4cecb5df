import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { startDetectors } from '../../../src/app/start-detectors.ts';
import type { CheckedOne } from '../../../src/control/orders/check.ts';
import { ordersOf } from '../../helpers/bound-orders.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { missing } from '../../helpers/requirement.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { define, systemctl } from './watched-unit.ts';

// Checks of real units, and the healing that they cause, all of the daemon but its main loop's surroundings. Runs under a real systemd,
// where it is PID 1: see transient.test.ts.

const COMMON = 'interval = 1\nretry_interval = 1\nstart_grace = 1\ntimeout = 60\n';

async function open(t: TestContext, names: readonly string[], sections: string) {
  const dir = mkdtempSync('/var/lib/checks-test-');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const core: Core = await coreWith(t, dir, sections);
  addRows(dir, names, false);
  const alarmOf = (name: string): { alarma: number; notes: string | null } => {
    const database = new DatabaseSync(`${dir}/a.db`);
    const row = database
      .prepare('SELECT alarma, notes FROM STATUS_PROCESS s JOIN PROCESE p USING (process_id) WHERE process_name = ?')
      .get(name);
    database.close();
    return { alarma: Number(row?.alarma), notes: row?.notes === null ? null : String(row?.notes) };
  };
  const look = async (): Promise<Record<string, CheckedOne>> => {
    const reply = await ordersOf(core).check(undefined);
    assert(reply.kind === 'done', JSON.stringify(reply));
    return Object.fromEntries(reply.checks.map((one) => [one.name, one]));
  };
  return { core, alarmOf, look };
}

test('the states of real units, and what is not there', async (t) => {
  define(t, 'up.service', '[Service]', 'ExecStart=/bin/sleep 600');
  define(t, 'broken.service', '[Service]', 'ExecStart=/bin/false');
  define(t, 'later.timer', '[Timer]', 'OnActiveSec=1h');
  define(t, 'later.service', '[Service]', 'ExecStart=/bin/true');
  systemctl('start', 'up.service', 'later.timer', 'broken.service');
  const unit = (name: string, more: string): string => `[check.${name}]\ntype = unit\n${more}\n`;
  const { look } = await open(
    t,
    [],
    [
      unit('up', ''),
      unit('broken', ''),
      unit('timer', 'system_name = later.timer'),
      unit('missing', ''),
      unit('absent', 'system_name = missing\nstate = inactive'),
      unit('target', 'system_name = basic.target'),
    ].join(''),
  );
  const found = await waitFor('the broken one has ended', async () => {
    const all = await look();
    return all.broken?.reason?.includes('failed') ? all : undefined;
  });
  const words = Object.entries(found).map(([name, { result, reason }]) => [name, reason ?? result]);
  assert.deepEqual(Object.fromEntries(words), {
    up: 'ok',
    broken: 'broken.service is failed (failed, exit-code; expected active)',
    timer: 'ok',
    missing: 'missing.service is inactive (it does not exist; expected active)',
    absent: 'ok',
    target: 'ok',
  });
});

test('ping, which PID 1 runs', { skip: missing('ping') }, async (t) => {
  const { look } = await open(t, [], '[check.here]\ntype = ping\naddress = 127.0.0.1\ntimeout = 60\nmax_response_time = 30\n');
  const { here } = await look();
  assert.equal(here?.reason ?? 'ok', 'ok');
});

test('a unit whose page is gone is restarted by its check, and cleared once the page is back', async (t) => {
  const dir = mkdtempSync('/run/checks-page-');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  // The page comes two seconds after the unit is up.
  define(t, 'web.service', '[Service]', `ExecStart=/bin/bash -c "sleep 2; touch ${dir}/page; exec sleep 600"`);
  systemctl('start', 'web.service');
  await waitFor('the page is there', () => existsSync(`${dir}/page`));
  const { core, alarmOf } = await open(
    t,
    ['shop'],
    `[process.shop]\nrestart_strategy = service\nsystem_name = web\nhealth_check_timeout = 60\n` +
      `[check.page]\ntype = command\nprocess = shop\ncommand = test -e ${dir}/page || { echo no page; exit 1; }\n${COMMON}` +
      `[check.unit]\ntype = unit\nprocess = shop\n${COMMON}`,
  );
  void core.monitor.run(core.stopping.signal);
  startDetectors(core, undefined);
  t.after(() => core.checks.stop());
  t.after(() => core.exits.stop());
  const states = (): string =>
    (core.checks.list() ?? []).flatMap(({ states }) => states.map(({ standing }) => standing.state)).join();
  await waitFor('both are ok', () => states() === 'ok,ok');
  rmSync(`${dir}/page`);
  await waitFor('it is healed', () => {
    const { alarma, notes } = alarmOf('shop');
    return alarma === 0 && (notes ?? '').startsWith('check page: exit code 1: no page - Restarted at ');
  });
  assert(existsSync(`${dir}/page`), 'it was cleared only once the page was there');
  await waitFor('both are ok again', () => states() === 'ok,ok');
  systemctl('kill', '--signal=SIGKILL', 'web.service');
  await waitFor('its end is healed too', () => {
    const { alarma, notes } = alarmOf('shop');
    return alarma === 0 && /^check (?:unit|page): .* - Restarted at /.test(notes ?? '');
  });
});
