import { chownSync, existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';
import { systemClock } from '../../../src/core/clock.ts';
import { openState } from '../../../src/state/state.ts';
import { createExecution } from '../../../src/system/execution.ts';
import { hostPath } from '../../../src/system/files/host-path.ts';
import { readLaunchRecord } from '../../../src/system/launch/read-record.ts';
import { NameResolver } from '../../../src/system/names/resolver.ts';
import { openDatagram } from '../../../src/system/native/datagram.ts';
import { libcProblem } from '../../../src/system/native/libc.ts';
import { pidfdOpen } from '../../../src/system/native/pidfd.ts';
import { pidsOfGroup } from '../../../src/system/proc/group-members.ts';
import { signalProcess } from '../../../src/system/proc/signal.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { createNotifier } from '../../../src/system/systemd/notify.ts';
import { dnsServer } from '../../helpers/dns-server.ts';
import { silentLog } from '../../helpers/strategy-parts.ts';

// Stands in for the daemon in its unit's sandbox, does everything that the daemon has to do there, and writes down how it went.

/** What the test tells the probe. */
export interface ProbeOrders {
  /** A process of another user's in a directory that only he may enter. */
  readonly victim: number;
  /** One that is to be killed. */
  readonly condemned: number;
  /** A unit that is to be restarted. */
  readonly unit: string;
  readonly exitCode?: number;
}

const orders: ProbeOrders = JSON.parse(readFileSync('/opt/monitor_service/probe-orders.json', 'utf8'));
const notifier = createNotifier(process.env, openDatagram);
process.on('SIGTERM', () => process.exit(0));
if (orders.exitCode !== undefined) process.exit(orders.exitCode);
setInterval(() => notifier.watchdog(), 100);

const never = new AbortController().signal;
const state = openState('/var/lib/monitor_service', { log: silentLog, clock: systemClock });
const { commands, programs, services, description } = createExecution({ stateDir: '/var/lib/monitor_service', log: silentLog });
const table = new ProcessTable();

function attempt(action: () => unknown): unknown {
  try {
    return action() ?? 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

async function run(line: string) {
  const command = { line, kind: 'action', runId: 'probe', description: 'probe', environment: {}, timeoutMs: 10_000 } as const;
  return commands.run(command, never);
}

function listen(path: string): Promise<unknown> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      .listen(path, () => {
        const result = attempt(() => chownSync(path, 0, 4));
        server.close();
        resolve(result);
      });
  });
}

function connectTo(port: number): Promise<unknown> {
  return new Promise((resolve) => {
    connect(port, '127.0.0.1')
      .once('connect', () => resolve('connected'))
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}

async function probe() {
  const reading = await readLaunchRecord(table, orders.victim, 1);
  const condemned = { pid: orders.condemned, startTime: table.read(orders.condemned, ['startTime'])?.startTime ?? 0 };
  const before = await services.show(orders.unit, never);
  const restarted = await services.call('restart', orders.unit, 10_000, never);
  const after = await services.show(orders.unit, never);
  const leavesOne = await run(
    '(sleep 600; echo) & echo $!; touch /etc/by-command /home/by-command /tmp/by-command; id -Z 2>/dev/null; :',
  );
  const left = leavesOne.kind === 'exited' ? Number(leavesOne.output) : 0;
  return {
    description,
    uid: process.getuid?.(),
    libc: libcProblem() ?? 'ok',
    pidfd: pidfdOpen(orders.victim).kind,
    reading,
    signal: signalProcess(table, condemned, constants.signals.SIGKILL),
    state: attempt(() => state.launches.set('probe', reading.kind === 'read' ? reading.record : ({} as never))),
    log: attempt(() => {
      writeFileSync('/var/log/monitor_service.log', 'a line\n', { mode: 0o640 });
      chownSync('/var/log/monitor_service.log', 0, 4);
    }),
    socket: await listen('/run/monitor_service/control.sock'),
    stateMode: (statSync('/var/lib/monitor_service').mode & 0o777).toString(8),
    syslog: openDatagram('/dev/log').send(Buffer.from('<27>probe: hello')),
    tcp: await connectTo(9),
    names: await findNames(),
    restarted,
    itsProcesses: after.kind === 'status' && pidsOfGroup(after.status.controlGroup).includes(after.status.mainPid),
    restartedAnew: before.kind === 'status' && after.kind === 'status' && before.status.mainPid !== after.status.mainPid,
    leavesOne: leavesOne.kind,
    left,
    leftOutput: attempt(() => readlinkSync(`/proc/${left}/fd/1`).replace(/\d+/g, 'N')),
    launched:
      reading.kind === 'read'
        ? await programs.launch(
            { systemName: 'probe', runId: 'probe-launch', timeoutMs: 10_000, what: { kind: 'argv', record: reading.record } },
            500,
            never,
          )
        : 'no record',
    denied: {
      etc: attempt(() => writeFileSync('/etc/by-daemon', '')),
      opt: attempt(() => writeFileSync('/opt/monitor_service/by-daemon', '')),
      usr: attempt(() => writeFileSync('/usr/by-daemon', '')),
      home: existsSync('/home/other/secret'),
      seenFromOutside: existsSync(hostPath('/home/other/app')),
    },
  };
}

notifier.ready();
notifier.status('probing');
probe().then(
  (result) => writeFileSync('/var/log/probe.json', JSON.stringify(result)),
  (error) => writeFileSync('/var/log/probe.json', JSON.stringify({ failed: String(error.stack) })),
);

/** A name that DNS knows, and one that stands in /etc/hosts, where only getent looks for us. */
async function findNames(): Promise<string[]> {
  const ends: (() => unknown)[] = [];
  const dns = await dnsServer({ after: (end: () => unknown) => ends.push(end) }, { 'web.example.test': ['192.0.2.1'] });
  const names = new NameResolver({ servers: [dns.address], hostsFile: '/nonexistent' });
  const answers = await Promise.all(
    ['web.example.test', 'listed.example.test'].map((name) => names.resolve(name, 20_000, never)),
  );
  for (const end of ends) await end();
  return answers.map((answer) => (answer.kind === 'resolved' ? (answer.addresses[0]?.address ?? '') : answer.reason));
}
