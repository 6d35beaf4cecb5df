import { systemClock } from '../../../src/core/clock.ts';
import { createWorker } from '../../../src/probes/worker/create.ts';
import { never, tcpWork } from '../../helpers/worker-world.ts';

// Run by worker.ts as a service: has its worker look at the port, says what came of it, and stays.

const worker = createWorker({ clock: systemClock, underSystemd: true, onTrouble: console.log });
console.log(JSON.stringify(await worker.ask(tcpWork(Number(process.argv[2])), 60_000, never)));
setInterval(() => {}, 1000);
