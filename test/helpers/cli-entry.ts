import { runCli } from '../../src/cli/cli.ts';
import { listenForSignals } from '../../src/cli/process-signals.ts';
import { smallBackends } from './small-backends.ts';

// The command line as a process of its own, as src/main.ts makes it, but with small backends.
const user = Number(process.env.CLI_ENTRY_USER ?? 0);
// Not before all of it is loaded: the project may stand where that user may not go, in /root.
if (user !== 0) {
  process.setgroups?.([]);
  process.setgid?.(user);
  process.setuid?.(user);
}
const { backends } = smallBackends();
process.exit(
  await runCli(
    process.argv.slice(2),
    {
      stdout: process.stdout,
      stderr: process.stderr,
      env: process.env,
      isRoot: process.geteuid?.() === 0,
      version: '9.9.9',
      listenForSignals: () => listenForSignals(process),
    },
    async () => backends,
  ),
);
