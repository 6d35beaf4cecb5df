import { setTimeout as delay } from 'node:timers/promises';
import { createConnection } from 'mysql2';

// The least that a Node program can do to poll: `bare-poller.ts SOCKET DATABASE SQL INTERVAL_MS` has the server answer one prepared
// statement again and again, and does nothing else. Ends with its standard input.

const [socketPath = '', database = '', sql = '', intervalMs = ''] = process.argv.slice(2);
const connection = createConnection({ socketPath, user: 'root', database });
process.stdin.on('end', () => process.exit()).resume();

console.log('ready');
for (;;) {
  await new Promise<void>((resolve, reject) => {
    connection.execute(sql, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
  await delay(Number(intervalMs));
}
