import { resolve } from 'node:path';
import type { Logger } from '../core/logger.ts';
import type { CommandRunner } from './command-runner.ts';
import { DirectCommandRunner } from './direct-command-runner.ts';
import { DirectLauncher } from './direct-launcher.ts';
import type { ProgramLauncher } from './program-launcher.ts';
import { RunFiles } from './run-files.ts';
import type { ServiceManager } from './service-manager.ts';
import { Systemd } from './systemd.ts';
import { TransientCommandRunner } from './transient-commands.ts';
import { TransientLauncher } from './transient-launcher.ts';

/** How commands and programs are run here. */
export interface Execution {
  readonly commands: CommandRunner;
  readonly programs: ProgramLauncher;
  readonly services: ServiceManager;
  /** For the log: `commands run through systemd`. */
  readonly description: string;
}

/** Through PID 1 where systemd runs and we are root, else directly. Runs keep their files in a folder of `stateDir`. */
export function createExecution({ stateDir, log }: { readonly stateDir: string; readonly log: Logger }): Execution {
  const dir = resolve(stateDir, 'runs');
  const files = new RunFiles({ dir, log });
  const services = new Systemd();
  if (services.available && process.geteuid?.() === 0) {
    return {
      commands: new TransientCommandRunner({ files, dir, services }),
      programs: new TransientLauncher({ dir }),
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
