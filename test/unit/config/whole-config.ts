import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkDependencies } from '../../../src/config/check-dependencies.ts';
import type { ConfigDocument } from '../../../src/config/config-document.ts';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { parseMonitorSettings, parseRecoverySettings } from '../../../src/config/parse-config.ts';
import { parseHost } from '../../../src/config/parse-host.ts';
import type { MonitorSettings, RecoverySettings, SectionReader } from '../../../src/core/config.ts';
import { ConfigError, type ConfigProblem, formatProblem } from '../../../src/core/errors.ts';
import { parseChecks } from '../../../src/detectors/checks/parse-checks.ts';

export const fixtures = join(import.meta.dirname, '../../fixtures/config');

export function fixture(name: string): string {
  return readFileSync(join(fixtures, name), 'utf8');
}

/** Keys that other parts parse, by the section they stand in. */
const foreignKeys = {
  database:
    'driver host port socket socket_owner user database password_file ssl ssl_ca server_public_key compress connect_timeout query_timeout read_timeout failback pool_size path',
  logging: 'file max_log_size log_files_to_keep level format syslog mode group',
  control: 'socket group',
  history: 'story results max_size',
  events: 'socket socket_mode socket_group tcp auth auth_file events clients tls_cert tls_key',
  process:
    'restart_strategy stop_signal stop_timeout supervisor_wait max_matches user any_user pid_file argument health_check_url health_check_status health_check_body health_check_tcp watch_exit ensure_running boot_grace',
};

/** The settings of every section, each key asked for as the daemon does. */
export function readWhole(document: ConfigDocument): { monitor: MonitorSettings; processes: Map<string, RecoverySettings> } {
  parseHost(document.section('host'));
  const monitor = parseMonitorSettings(document.section('monitor'), {});
  askAll(document.section('database'), foreignKeys.database);
  document.section('database').secret('password');
  askAll(document.section('logging'), foreignKeys.logging);
  askAll(document.section('control'), foreignKeys.control);
  askAll(document.section('history'), foreignKeys.history);
  askAll(document.section('events'), foreignKeys.events);
  document.section('checks').integer('concurrency', { default: 50 });
  const processes = new Map<string, RecoverySettings>();
  for (const name of [...document.names('process'), undefined]) {
    const section = document.member('process', name);
    askAll(section, foreignKeys.process);
    for (const key of ['restart', 'start', 'stop', 'health_check']) section.command(`${key}_command`);
    processes.set(name ?? '', parseRecoverySettings(section));
  }
  checkDependencies(document);
  parseChecks(document);
  return { monitor, processes };
}

/** Every problem of a text, as lines. */
export function problemsOf(text: string, file = 'bad.ini'): string[] {
  return problemsIn(loadConfigText(file, text)).map((problem) => formatProblem(file, problem));
}

export function problemsIn(document: ConfigDocument): readonly ConfigProblem[] {
  readWhole(document);
  try {
    return document.finish();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function askAll(section: SectionReader, keys: string): void {
  for (const key of keys.split(' ')) section.text(key);
}
