import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { formatProblem } from '../../../src/core/errors.ts';
import { problemsIn, readWhole } from './whole-config.ts';

const text = readFileSync(join(import.meta.dirname, '../../../config.ini'), 'utf8');
/** The file with every key and section that it shows set. */
const uncommented = text.replace(/^;/gm, '');

describe('the shipped config.ini', () => {
  it('has no problems, as it stands and with all it shows set', () => {
    for (const variant of [text, uncommented]) {
      const problems = problemsIn(loadConfigText('config.ini', variant)).filter(({ severity, section, problem }) => {
        // An example's own section says what [process.default] showed already; nothing else may stand twice.
        return !(severity === 'warning' && section === 'process.default' && problem.startsWith('is repeated'));
      });
      assert.deepEqual(
        problems.map((problem) => formatProblem('config.ini', problem)),
        [],
      );
    }
  });

  it('says the defaults, set or not', () => {
    const asShipped = readWhole(loadConfigText('config.ini', text));
    const spelledOut = readWhole(loadConfigText('config.ini', uncommented));
    const defaults = readWhole(loadConfigText('config.ini', ''));
    assert.deepEqual(asShipped.monitor, defaults.monitor);
    assert.deepEqual(spelledOut.monitor, defaults.monitor);
    assert.deepEqual(asShipped.processes.get(''), defaults.processes.get(''));
    assert.deepEqual(spelledOut.processes.get(''), defaults.processes.get(''));
  });

  it('shows every key there is', () => {
    const document = loadConfigText('config.ini', uncommented);
    assert.deepEqual(document.names('process'), ['web frontend', 'app-backend', 'custom_example']);
    for (const [section, keys] of Object.entries(allKeys)) {
      for (const key of keys.split(/\s+/)) assert.ok(document.stands(section, key), `[${section}] ${key}`);
    }
  });

  it('holds what a daemon on MySQL needs, but the password', () => {
    const database = loadConfigText('config.ini', text).section('database');
    assert.equal(database.text('host'), 'localhost');
    assert.equal(database.text('database'), 'v_process_monitor');
    assert.equal(database.secret('password'), 'your_password');
  });
});

const allKeys = {
  database: `driver host port socket socket_owner user password password_file database ssl ssl_ca server_public_key compress connect_timeout query_timeout
    pool_size path`,
  monitor: `check_interval max_restart_failures circuit_reset_time flap_recoveries flap_window max_exits exit_window max_concurrent_restarts
    only_configured require_pin mode clear_alarm state_dir`,
  host: 'name host_id',
  logging: 'file max_log_size log_files_to_keep level format syslog mode group',
  control: 'socket group',
  history: 'story results max_size',
  events: 'socket socket_mode socket_group tcp auth auth_file events clients tls_cert tls_key',
  'process.default': `restart_strategy system_name restart_command start_command pre_restart_command health_check_command
    health_check_url health_check_status health_check_body health_check_tcp health_check_timeout stable_time restart_delay max_attempts
    use_backoff backoff_multiplier max_delay stop_command stop_signal stop_timeout command_timeout max_matches priority depends_on user`,
};
