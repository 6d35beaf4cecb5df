import { isAbsolute } from 'node:path';
import { interpreterOf } from '../../core/program/interpreters.ts';
import type { LaunchRecord } from '../../core/program/launch-record.ts';
import { notRootsFile, notRootsPlace } from '../files/roots-own.ts';
import type { Entries } from '../files/walk-path.ts';
import { executedFiles } from './executed-files.ts';

/**
 * Says in one line why somebody other than root can change what `record` executes; undefined if nobody can: every file that it
 * executes, every folder above, and everything its environment makes it load is writable by root alone. What cannot be
 * determined counts as changeable.
 */
export function notRootsLaunch(record: LaunchRecord): string | undefined {
  const { files, places, unknown } = executedFiles(record);
  const entries: Entries = new Map();
  return (
    firstOf(files, (file) => notRootsFile(file, entries)) ??
    unknown ??
    firstOf(places, (place) => notRootsPlace(place, entries)) ??
    firstOf(record.environment, (variable) => loadsOthers(variable, entries))
  );
}

function firstOf(all: readonly string[], judge: (one: string) => string | undefined): string | undefined {
  for (const one of all) {
    const reason = judge(one);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/**
 * Says why a variable (`KEY=VALUE`) may load what is not root's. Source: ld.so(8), python(1), perlrun(1), ruby(1), node(1),
 * bash(1).
 */
function loadsOthers(entry: string, entries: Entries): string | undefined {
  const cut = entry.indexOf('=');
  const [name, value] = [entry.slice(0, cut), entry.slice(cut + 1)];
  if (value === '') return undefined;
  const options = Object.hasOwn(OPTION_VARIABLES, name) ? OPTION_VARIABLES[name] : undefined;
  if (options !== undefined) {
    const kind = interpreterOf(options);
    const flags = kind === 'launcher' ? undefined : kind?.flags;
    const isHarmless = value.split(/\s+/).every((word) => word === '' || flags?.test(word));
    return isHarmless ? undefined : `cannot determine what its ${name} loads`;
  }
  if (!PATH_VARIABLES.has(name) && !VERSIONED.test(name)) return undefined;
  // A single word is the name of an environment to many programs; to a shell it is a file of that name.
  if (name === 'ENV' && !value.includes('/')) return undefined;
  const separator = name === 'LD_PRELOAD' ? /[: ]/ : /[:;]/;
  for (const place of value.split(separator)) {
    if (place === '' && name !== 'LD_LIBRARY_PATH') continue;
    if (!isAbsolute(place) || place.includes('$')) return `cannot determine what its ${name} loads`;
    // In Java's class paths: all archives in that folder.
    const reason = notRootsPlace(place.replace(/\/\*$/, ''), entries);
    if (reason !== undefined) return `its ${name} names what is not root's alone: ${reason}`;
  }
  return undefined;
}

/** Variables whose value is a line of options for that interpreter. */
const OPTION_VARIABLES: Readonly<Record<string, string>> = {
  NODE_OPTIONS: 'node',
  PERL5OPT: 'perl',
  RUBYOPT: 'ruby',
  JAVA_TOOL_OPTIONS: 'java',
  JDK_JAVA_OPTIONS: 'java',
  _JAVA_OPTIONS: 'java',
};

const VERSIONED = /^LUA_(?:C?PATH|INIT)_\d/;

const PATH_VARIABLES: ReadonlySet<string> = new Set(
  (
    'LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT GCONV_PATH PYTHONPATH PYTHONHOME PYTHONUSERBASE PYTHONSTARTUP PYTHONPYCACHEPREFIX ' +
    'PERL5LIB PERLLIB PERL5DB RUBYLIB GEM_PATH GEM_HOME BUNDLE_GEMFILE NODE_PATH CLASSPATH PHPRC PHP_INI_SCAN_DIR LUA_PATH ' +
    'LUA_CPATH LUA_INIT TCLLIBPATH R_LIBS R_PROFILE BASH_ENV ENV ZDOTDIR OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES ' +
    'R_ENVIRON R_ENVIRON_USER R_PROFILE_USER R_LIBS_USER R_LIBS_SITE JULIA_LOAD_PATH JULIA_DEPOT_PATH GUILE_LOAD_PATH ' +
    'GUILE_LOAD_COMPILED_PATH ERL_LIBS DOTNET_STARTUP_HOOKS MONO_PATH DENO_DIR PSModulePath GST_PLUGIN_PATH ' +
    'GIO_EXTRA_MODULES TCL_LIBRARY LOCPATH'
  ).split(' '),
);
