import { setTimeout as delay } from 'node:timers/promises';
import { processEventTypes } from '../../src/core/process/event.ts';
import { createProcessEventSource } from '../../src/system/process-events/events.ts';

/**
 * A process that listens to process events and does nothing else: `ready` once it does; then for each line of standard input one
 * of JSON, what it has heard since its start. Ends with standard input; exit code 1, and why, where there is nothing to hear.
 */
let told = 0;
const source = createProcessEventSource({ types: new Set(processEventTypes) });
const subscription = await source.subscribe((events) => {
  told += events.length;
});
if (subscription.kind === 'unavailable') {
  console.error(subscription.reason);
  process.exitCode = 1;
} else {
  console.log('ready');
  for await (const _ of process.stdin) {
    // What has happened until now has been read then.
    await delay(200);
    console.log(JSON.stringify({ ...source.counters(), told }));
  }
  source.close();
}
