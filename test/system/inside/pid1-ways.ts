import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { TransientLauncher } from '../../../src/system/launch/transient.ts';
import { RunFiles } from '../../../src/system/runs/files.ts';
import { TransientCommandRunner } from '../../../src/system/runs/transient.ts';
import { type LinkKind, type Pid1Addresses, pid1Addresses } from '../../../src/system/systemd/link.ts';
import { Systemd } from '../../../src/system/systemd/manager.ts';
import { Pid1 } from '../../../src/system/systemd/pid1.ts';
import { silentLog } from '../../helpers/strategy-parts.ts';
import { knownUnits, openRuns, type Runs, shellCommand } from './runs.ts';

/** Each of the two ways to PID 1 alone: the other's address leads nowhere. */
export const WAYS: Readonly<Record<LinkKind, Pid1Addresses>> = {
  private: { ...pid1Addresses, bus: '/no/such/bus' },
  bus: { ...pid1Addresses, private: '/no/such/private' },
};

export const ways: readonly LinkKind[] = ['private', 'bus'];

export const kinds = ['check', 'action'] as const;

/** Everything that runs things, as createExecution builds it, over a PID 1 of the test's own. */
export interface Way extends Runs {
  readonly pid1: Pid1;
  readonly services: Systemd;
}

/** It is closed after the test. Default: the addresses of the system, as the daemon has them. */
export function openWay(t: TestContext, addresses: Pid1Addresses = pid1Addresses): Way {
  const runs = openRuns(t);
  const built = createWay(addresses, runs.dir);
  t.after(() => built.pid1.close());
  // What a test that fails leaves behind shall not fail the next.
  t.after(() => {
    if (knownUnits(RUNS).length > 0) systemctl('kill', '--signal=KILL', RUNS);
  });
  return {
    ...runs,
    ...built,
    run: (line, { signal = new AbortController().signal, ...how } = {}) =>
      built.commands.run(shellCommand(`cd ${runs.dir}; ${line}`, how), signal),
  };
}

const RUNS = 'monitor_service-run-*';

/** As createExecution does it; runs keep their files in a folder of `dir`. */
export function createWay(addresses: Pid1Addresses, dir: string): Pick<Way, 'pid1' | 'services' | 'commands' | 'programs'> {
  const pid1 = new Pid1({ addresses });
  const services = new Systemd(pid1);
  const folder = join(dir, 'runs');
  const files = new RunFiles({ dir: folder, log: silentLog });
  return {
    pid1,
    services,
    commands: new TransientCommandRunner({ files, dir: folder, services, pid1 }),
    programs: new TransientLauncher(pid1),
  };
}

/** Unit files (`NAME.service`, or `NAME@.service`) by their names; they are stopped and gone after the test. */
export function defineUnits(t: TestContext, units: Readonly<Record<string, readonly string[]>>): void {
  const folder = '/run/systemd/system';
  mkdirSync(folder, { recursive: true });
  for (const [name, service] of Object.entries(units)) {
    const text = ['[Unit]', 'StartLimitIntervalSec=0', '[Service]', ...service, ''];
    writeFileSync(join(folder, name), text.join('\n'));
  }
  systemctl('daemon-reload');
  t.after(() => {
    const patterns = Object.keys(units).map((name) => name.replace('@.', '@*.'));
    systemctl('kill', '--signal=KILL', ...patterns);
    systemctl('stop', ...patterns);
    systemctl('reset-failed', ...patterns);
    for (const name of Object.keys(units)) rmSync(join(folder, name), { force: true });
    systemctl('daemon-reload');
  });
}

/** Runs systemctl, whatever comes of it. */
export function systemctl(...args: string[]): void {
  try {
    execFileSync('systemctl', args, { stdio: 'ignore' });
  } catch {
    // A pattern that matches nothing, a unit that is gone.
  }
}

/** What systemctl prints. */
export function shown(...args: string[]): string {
  return execFileSync('systemctl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** The transient units of ours that systemd still knows, of commands and of programs. */
export function ourUnits(): string[] {
  return knownUnits('monitor_service-*');
}
