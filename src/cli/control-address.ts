import { accessSync, constants } from 'node:fs';
import { configPath, loadConfigFile } from '../config/config-file.ts';
import { defaultStateDir, parseStateDir } from '../config/parse-config.ts';
import { DEFAULT_SOCKET, parseControl } from '../control/parse-control.ts';
import type { SectionReader } from '../core/config.ts';
import { serverUsers } from '../system/sockets/server-peer.ts';

/** What determines which configuration is used. */
export interface ConfigChoice {
  /** `--config`. */
  readonly option: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
}

/** The path of the chosen configuration file, which need not exist. */
export function chosenConfig({ option, env, isRoot }: ConfigChoice): string {
  return configPath(option, env, isRoot);
}

/** The control socket of the daemon that runs with the chosen configuration (see `chosenSection`); else the default socket. */
export function controlSocket(choice: ConfigChoice): string {
  const section = chosenSection(choice, 'control');
  return section === undefined ? DEFAULT_SOCKET : parseControl(section).socket;
}

/**
 * The users who may run that daemon (serverUsers of its control socket); root and ourselves if the configuration cannot be
 * read.
 */
export function daemonUsers(choice: ConfigChoice): ReadonlySet<number> {
  try {
    return serverUsers(controlSocket(choice));
  } catch {
    return new Set([0, process.geteuid?.() ?? 0]);
  }
}

/** The state_dir of that daemon, found in the same way. */
export function stateDir(choice: ConfigChoice): string {
  const section = chosenSection(choice, 'monitor');
  return section === undefined ? defaultStateDir(choice.env) : parseStateDir(section, choice.env);
}

/**
 * One section of the chosen configuration. undefined if no file was named and the default one does not exist or cannot be read:
 * it holds a password, which a member of the socket's group need not know. Throws a ConfigError if the named file cannot be
 * read. Other problems of the file are ignored.
 */
export function chosenSection(choice: ConfigChoice, section: string): SectionReader | undefined {
  const file = chosenConfig(choice);
  const named = choice.option !== undefined || Boolean(choice.env.MONITOR_SERVICE_CONFIG);
  if (!named && !isReadable(file)) return undefined;
  return loadConfigFile(file).section(section);
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
