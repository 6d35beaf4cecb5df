// Creates the worker as this machine allows.
import { readFileSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';
import { parseCgroup, unitOfCgroup } from '../../system/proc/cgroup.ts';
import { Pid1 } from '../../system/systemd/pid1.ts';
import { Worker } from './client.ts';
import type { StartWorker } from './process.ts';
import { workerProgram } from './program.ts';
import { directStarter } from './start-direct.ts';
import { unitStarter } from './start-unit.ts';

/** What the daemon gives to its worker. */
export interface WorkerOwner {
  readonly clock: Clock;
  /** Whether systemd runs (ServiceManager.available). */
  readonly underSystemd: boolean;
  readonly onTrouble: (reason: string) => void;
  readonly onRecovered?: () => void;
}

/** A worker in a sandbox of systemd if that runs and we are root, else as a child. Nothing is started before its first piece of work. */
export function createWorker({ underSystemd, ...options }: WorkerOwner): Worker {
  const isRoot = process.geteuid?.() === 0;
  const start: StartWorker =
    underSystemd && isRoot ? unitStarter(new Pid1(), workerProgram(), ownUnit()) : directStarter(workerProgram());
  return new Worker({ ...options, start });
}

/** The service that we are; undefined if we are none. */
function ownUnit(): string | undefined {
  const unit = unitOfCgroup(parseCgroup(readFileSync('/proc/self/cgroup', 'utf8')) ?? '');
  return unit?.endsWith('.service') ? unit : undefined;
}
