import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfigText } from '../../src/config/config-file.ts';
import { formatProblem } from '../../src/core/errors.ts';
import type { CheckIdentity, CheckParts, CheckTarget, Reading } from '../../src/detectors/checks/check.ts';
import { processCheck } from '../../src/detectors/checks/types/process.ts';
import { FileHelpers } from '../../src/system/helpers/file-helpers.ts';
import type { ProcessStrategyWorld } from './process-strategy-world.ts';
import { unique } from './process-zoo.ts';
import { never } from './strategy-parts.ts';
import { waitFor } from './wait-for.ts';

/** The options and problems of a `[check.NAME]` of processes with these keys, a line each. */
export function parseProcessCheck(lines: string, check: Partial<CheckIdentity> = {}) {
  const identity = { name: 'web', processName: undefined, systemName: 'web', ...check };
  const document = loadConfigText('f', `[check.${identity.name}]\n${lines}`);
  const options = processCheck.parse(document.member('check', identity.name), identity);
  return { options, problems: document.problems.map((problem) => formatProblem(document.file, problem)) };
}

/** A check of real processes with these keys, for the program `name`. Throws if there are problems. */
export function checkOfProcesses(
  { parts }: ProcessStrategyWorld,
  name: string,
  lines: string,
  changes: Partial<CheckParts> = {},
): CheckTarget {
  const { options, problems } = parseProcessCheck(lines, { name });
  if (options === undefined || problems.length > 0) throw new Error(problems.join('\n'));
  const { commands, services, clock, look } = parts;
  const nobody = { resolve: async () => Promise.reject(new Error('nobody asks')) };
  const [names, worker] = [nobody as unknown as CheckParts['names'], nobody as unknown as CheckParts['worker']];
  return processCheck.create(
    options,
    { name, processName: undefined, systemName: name },
    {
      commands,
      services,
      clock,
      look,
      names,
      worker,
      files: new FileHelpers(clock),
      ofCheck: nobody.resolve,
      programs: parts,
      ...changes,
    },
  );
}

/** What one look finds, in one line: `ok`, `failing: …`, `unknown: …`. */
export async function lookedAt(target: CheckTarget, timeoutMs = 60_000, signal = never): Promise<string> {
  return words(await target.look(timeoutMs, signal));
}

/** A reading in one line. */
export function words(reading: Reading): string {
  return reading.kind === 'ok' ? 'ok' : `${reading.kind}: ${reading.reason}`;
}

/** Starts Node under that name with this program, which has to call `ready()`; its pid, once it has. */
export async function startNode({ zoo }: ProcessStrategyWorld, name: string, program: string): Promise<number> {
  const file = join(zoo.dir, unique('ready'));
  const ready = `const ready = () => require('node:fs').writeFileSync(${JSON.stringify(file)}, '');`;
  const pid = await zoo.start(process.execPath, ['-e', `${ready} setInterval(() => {}, 1e9); ${program}`], { argv0: name });
  await waitFor(`${name} is ready`, () => existsSync(file));
  return pid;
}

/** A script that becomes `sleep` under the name; its pid, once it has. */
export async function startBash({ zoo, table }: ProcessStrategyWorld, name: string, before: string): Promise<number> {
  const pid = await zoo.start('/bin/bash', ['-c', `${before}\nexec -a ${name} sleep 300`]);
  await waitFor(`${name} runs`, () => table.read(pid, ['argv'])?.argv?.[0] === name);
  return pid;
}

/** No limit but `min`. */
export const NO_LIMITS = { listens: [], ...blank('max', 'cpuPercent', 'memory', 'descriptors', 'threads', 'ageMs') };

function blank<K extends string>(...keys: K[]): Record<K, undefined> {
  return Object.fromEntries(keys.map((key) => [key, undefined])) as Record<K, undefined>;
}
