import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

// Run as a user who is nobody: writes all that he can find out about who else runs here to standard output.

const units = process.argv.slice(2);
const found: string[] = [`uid ${process.getuid?.()}`];

function look(what: string, read: () => string | Buffer): void {
  try {
    found.push(`== ${what}`, read().toString('latin1'));
  } catch (error) {
    found.push(`-- ${what}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

function run(...argv: readonly string[]): void {
  const [file = '', ...args] = argv;
  look(argv.join(' '), () => {
    try {
      return execFileSync(file, args, { maxBuffer: 256 * 1024 * 1024, timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: Buffer; stderr?: Buffer };
      return `${stdout}${stderr}`;
    }
  });
}

function files(dir: string): void {
  look(dir, () => readdirSync(dir).join('\n'));
  try {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) files(path);
      else if (statSync(path, { throwIfNoEntry: false })?.isFile()) look(path, () => readFileSync(path));
      else look(path, () => readlinkSync(path));
    }
  } catch {
    // Not his to see.
  }
}

for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
  if (Number(pid) === process.pid) continue;
  for (const name of ['cmdline', 'environ', 'comm', 'status', 'stat', 'cgroup', 'maps', 'wchan'])
    look(`/proc/${pid}/${name}`, () => readFileSync(`/proc/${pid}/${name}`));
  for (const name of ['exe', 'cwd', 'root']) look(`/proc/${pid}/${name}`, () => readlinkSync(`/proc/${pid}/${name}`));
  look(`/proc/${pid}/fd`, () => readdirSync(`/proc/${pid}/fd`).join(' '));
  // Their numbers he can guess.
  for (let fd = 0; fd < 16; fd++) {
    const path = `/proc/${pid}/fd/${fd}`;
    look(path, () => readlinkSync(path));
    look(path, () => (statSync(path).isFile() ? readFileSync(path) : 'no file'));
  }
}
run('ps', 'auxwwe');
run('ps', '-eLfww');
run('systemctl', 'show', '*');
run('systemctl', 'show', '--all', ...units);
run('systemctl', 'cat', ...units);
run('systemctl', 'status', '--full', '--lines=1000', ...units);
run('systemctl', 'list-units', '--all', '--full', '--plain');
run('journalctl', '--no-pager', '--all', '--output=export');
run('busctl', 'tree', 'org.freedesktop.systemd1');
for (const unit of units) {
  const path = `/org/freedesktop/systemd1/unit/${[...Buffer.from(unit)].map(escaped).join('')}`;
  for (const about of ['Unit', 'Service'])
    run(
      ...['busctl', 'call', 'org.freedesktop.systemd1', path, 'org.freedesktop.DBus.Properties', 'GetAll', 's'],
      `org.freedesktop.systemd1.${about}`,
    );
  run('busctl', 'call', 'org.freedesktop.systemd1', path, 'org.freedesktop.systemd1.Service', 'GetProcesses');
}
for (const dir of [
  '/run/systemd/transient',
  '/run/systemd/units',
  '/run/systemd/system',
  '/run/credentials',
  '/tmp',
  '/dev/shm',
])
  files(dir);
for (const dir of ['/var/lib', '/var/log', '/run']) look(dir, () => readdirSync(dir).join('\n'));
process.stdout.write(found.join('\n'));

function escaped(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9]/.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`;
}
