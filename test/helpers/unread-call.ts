import { execFileSync } from 'node:child_process';

/** Whether a call of somebody's lies unread at this Unix socket, for its server stands still. Source: ss(8). */
export function isCallUnread(socket: string): boolean {
  const [, ...lines] = execFileSync('ss', ['-xn', 'src', socket], { encoding: 'utf8' }).trim().split('\n');
  // Netid, State, Recv-Q.
  return lines.some((line) => /^\S+\s+ESTAB\s+[1-9]/.test(line));
}
