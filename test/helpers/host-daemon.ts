import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle } from './daemon.ts';
import { DaemonWorld, type Scope, type Sections } from './daemon-world.ts';
import { documentedDropIn } from './documented-drop-in.ts';
import type { Enclosure } from './enclosure.ts';
import { bootHostSystemd } from './host-systemd.ts';
import { waitFor } from './wait-for.ts';

const UNIT = 'monitor_service.service';

/** The daemon as a unit of a systemd beside the kernel's process events: the unit as it ships, with the drop-in that lets them in. */
export class HostDaemon {
  readonly world: DaemonWorld;
  readonly systemd: Enclosure;

  private constructor(world: DaemonWorld, systemd: Enclosure) {
    this.world = world;
    this.systemd = systemd;
  }

  /**
   * Starts it on a database of its own; all of it is ended by `scope`, the last first. It is installed where the unit expects it,
   * in folders that nobody else sees, and is shown those of the test: its sandbox hides /home, /root and /tmp.
   */
  static async start(scope: Scope, server: { readonly socket: string }, sections: Sections): Promise<HostDaemon> {
    const world = await DaemonWorld.open(scope, server, sections);
    world.configure({ events: { socket: eventSocket(world) } });
    const [dist, database] = [dirname(bundle), dirname(server.socket)];
    const systemd = await bootHostSystemd([world.dir, database, dist, dirname(process.execPath)]);
    scope.after(() => systemd.stop());
    const home = '/opt/monitor_service';
    const install = `mount -t tmpfs -o mode=755 monitor-test /opt && mkdir -p ${home}/bin ${home}/dist && touch ${home}/bin/node &&
      mount --bind "$1" ${home}/bin/node && mount --bind "$2" ${home}/dist && ln -s "$3" ${home}/config.ini`;
    await systemd.read(['sh', '-c', install, 'sh', process.execPath, dist, world.configFile]);
    const units = systemd.path('/run/systemd/user');
    copyFileSync(join(import.meta.dirname, '../..', UNIT), join(units, UNIT));
    mkdirSync(join(units, `${UNIT}.d`));
    writeFileSync(join(units, `${UNIT}.d/override.conf`), `${documentedDropIn().join('\n')}\n`);
    const forTest = ['[Service]', `BindPaths=${world.dir}`, `BindReadOnlyPaths=${database}`];
    // There is no journal for what it says before it has its log file.
    const words = join(world.dir, 'stderr');
    writeFileSync(join(units, `${UNIT}.d/test.conf`), `${[...forTest, `StandardError=append:${words}`].join('\n')}\n`);
    const started = await systemd.exec(['systemctl', 'start', UNIT]);
    assert.equal(started.code, 0, `${started.stderr}${existsSync(words) ? readFileSync(words, 'utf8') : ''}`);
    return new HostDaemon(world, systemd);
  }

  /** Where it streams process events. */
  get eventSocket(): string {
    return eventSocket(this.world);
  }

  /** A property of a unit, by default of the daemon's. */
  async property(name: string, unit = UNIT): Promise<string> {
    return (await this.systemd.read(['systemctl', 'show', '--value', `--property=${name}`, unit])).trim();
  }

  async systemctl(...args: string[]): Promise<void> {
    await this.systemd.read(['systemctl', ...args]);
  }

  /** Installs a service with these settings of its section [Service]. */
  addUnit(name: string, settings: readonly string[]): void {
    writeFileSync(this.systemd.path(`/run/systemd/user/${name}.service`), `${['[Service]', ...settings].join('\n')}\n`);
  }

  /** What the daemon has logged. */
  log(): string {
    return readFileSync(this.world.logFile, 'utf8');
  }

  /** Waits for a line in the log. */
  async logged(pattern: RegExp): Promise<void> {
    await this.until(`a line ${pattern}`, () => pattern.test(this.log()));
  }

  /** waitFor, with the log where it fails. */
  async until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
    return await waitFor(what, condition).catch((error) => {
      throw new Error(`${String(error)}\n${this.log()}`);
    });
  }
}

function eventSocket({ dir }: DaemonWorld): string {
  return join(dir, 'events.sock');
}
