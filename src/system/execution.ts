import { resolve } from 'node:path';
import type { Logger } from '../core/logger.ts';
import { DirectLauncher } from './launch/direct.ts';
import type { ProgramLauncher } from './launch/launcher.ts';
import { TransientLauncher } from './launch/transient.ts';
import { DirectCommandRunner } from './runs/direct.ts';
import { RunFiles } from './runs/files.ts';
import type { CommandRunner } from './runs/runner.ts';
import { TransientCommandRunner } from './runs/transient.ts';
import { Systemd } from './systemd/manager.ts';
import { Pid1 } from './systemd/pid1.ts';
import type { ServiceManager } from './systemd/service-manager.ts';

/** How commands and programs are run on this machine. */
export interface Execution {
  readonly commands: CommandRunner;
  readonly programs: ProgramLauncher;
  readonly services: ServiceManager;
  /** A description for the log: `commands run through systemd`. */
  readonly description: string;
}

/**
 * Runs commands and programs through PID 1 if systemd runs and we are root, else directly. Runs keep their files in the folder
 * `runs` of `stateDir`.
 */
export function createExecution({ stateDir, log }: { readonly stateDir: string; readonly log: Logger }): Execution {
  const dir = resolve(stateDir, 'runs');
  const files = new RunFiles({ dir, log });
  const pid1 = new Pid1();
  const services = new Systemd(pid1, log);
  if (services.available && process.geteuid?.() === 0) {
    return {
      commands: new TransientCommandRunner({ files, dir, services, pid1 }),
      programs: new TransientLauncher(pid1),
      services,
      description: 'commands run through systemd',
    };
  }
  return {
    commands: new DirectCommandRunner(files),
    programs: new DirectLauncher(files),
    services,
    description: 'commands run directly',
  };
}
