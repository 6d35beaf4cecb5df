import { writeFileSync } from 'node:fs';
import { openDatagram } from '../../../src/system/native/datagram.ts';
import { createNotifier } from '../../../src/system/systemd/notify.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { createWay, type kinds, WAYS, ways } from './pid1-ways.ts';
import { shellCommand } from './runs.ts';

// Stands in for the daemon in its unit's sandbox, does over both sockets what it has to do there, and writes down how it went.

const [unit = '', folder = '', report = ''] = process.argv.slice(2);

async function probe(by: (typeof ways)[number]) {
  const { services, commands, programs } = createWay(WAYS[by], folder);
  const show = async () => {
    const shown = await services.show(unit, never);
    return shown.kind === 'status' ? shown.status : undefined;
  };
  const line = `cat; grep NoNewPrivs: /proc/self/status; touch /etc/pid1-${by} && echo "$VALUE"; exit 3`;
  const run = (kind: (typeof kinds)[number]) =>
    commands.run(shellCommand(line, { kind, environment: { VALUE: 'a value' } }), never);
  const asOther = shellCommand('id -un', { kind: 'check', user: 'nobody' });
  const what = { kind: 'line', line: 'exec sleep 600', environment: {}, user: undefined } as const;
  const before = await show();
  const restarted = await services.call('restart', unit, 30_000, never);
  const after = await show();
  const launched = await programs.launch({ systemName: `pid1-${by}`, runId: by, timeoutMs: 30_000, what }, 200, never);
  return {
    restarted,
    isAnother: before !== undefined && after !== undefined && before.mainPid !== after.mainPid,
    isActive: after?.activeState,
    check: await run('check'),
    action: await run('action'),
    asOther: await commands.run(asOther, never),
    launched: launched.kind,
    way: services.contact()?.connection,
  };
}

const notifier = createNotifier(process.env, openDatagram);
notifier.ready();
setInterval(() => notifier.watchdog(), 1000);
const result: Record<string, unknown> = {};
for (const by of ways) {
  result[by] = await probe(by).catch((error: unknown) => String((error as Error).stack));
}
writeFileSync(report, JSON.stringify(result));
