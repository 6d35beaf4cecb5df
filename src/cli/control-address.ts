import { accessSync, constants } from 'node:fs';
import { configPath, loadConfigFile } from '../config/config-file.ts';
import { DEFAULT_SOCKET, parseControl } from '../control/parse-control.ts';

/** What says which configuration is meant. */
export interface ConfigChoice {
  /** `--config`. */
  readonly option: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
}

/** The configuration file meant, whether or not it exists. */
export function chosenConfig({ option, env, isRoot }: ConfigChoice): string {
  return configPath(option, env, isRoot);
}

/**
 * The control socket of the daemon that runs with the configuration meant. Where nobody named one and it cannot be read (it
 * holds a password; a member of the socket's group need not know it), or does not exist, the default socket; one that was named
 * and cannot be read throws a ConfigError. Whatever else is wrong with the file is not looked at.
 */
export function controlSocket(choice: ConfigChoice): string {
  const file = chosenConfig(choice);
  const named = choice.option !== undefined || Boolean(choice.env.MONITOR_SERVICE_CONFIG);
  if (!named && !isReadable(file)) return DEFAULT_SOCKET;
  return parseControl(loadConfigFile(file).section('control')).socket;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
