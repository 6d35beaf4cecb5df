/**
 * True for the path or name of a program that runs what its arguments name: an interpreter or a launcher, whatever version its name
 * ends with (`python3.11`). By its own name it says nothing of what it runs.
 */
export function isInterpreter(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return INTERPRETERS.has(name) || INTERPRETERS.has(name.replace(/-?\d+(?:\.\d+)*[a-z]?$/, ''));
}

const INTERPRETERS: ReadonlySet<string> = new Set(
  [
    'python pypy perl ruby jruby node nodejs deno bun php php-cgi php-cli java jexec lua luajit tclsh wish guile R Rscript julia erl beam.smp',
    'beam mono dotnet pwsh sh bash dash ash ksh mksh zsh fish csh tcsh rbash busybox toybox awk gawk mawk expect make',
    'env sudo doas su runuser setpriv nohup setsid nice ionice chrt taskset stdbuf timeout time exec xargs flock chroot unshare nsenter',
    'numactl prlimit daemonize start-stop-daemon systemd-run ld.so ld-linux-x86-64.so gdb strace npm npx yarn pnpm',
  ].flatMap((names) => names.split(' ')),
);
