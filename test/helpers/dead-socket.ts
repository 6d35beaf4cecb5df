import { spawnSync } from 'node:child_process';

/** Makes the socket file of a daemon that was killed: nobody listens on it any more. */
export function leaveDeadSocket(path: string): void {
  const listen = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
  spawnSync(process.execPath, ['-e', listen, path]);
}
