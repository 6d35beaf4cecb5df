import { type StoreFault, storeFaults } from '../../src/core/errors.ts';
import { Chance } from './chance.ts';
import { type Scenario, VARIANTS } from './scenario.ts';

/** Something that happens to the simulated machine, or that somebody does. Times in milliseconds; `forMs`: after that it is over. */
export type Happening =
  /** The program ends by itself; `raiseInMs`: then somebody raises its alarm, unless undefined. */
  | { readonly kind: 'dies'; readonly program: string; readonly raiseInMs: number | undefined }
  /** It runs, and does its work no more. */
  | { readonly kind: 'sickens'; readonly program: string; readonly raiseInMs: number }
  /** Somebody raises an alarm, whatever the program does. */
  | { readonly kind: 'raise'; readonly program: string }
  /** A detector of the daemon's own does. */
  | { readonly kind: 'detector'; readonly program: string }
  | { readonly kind: 'others_clear'; readonly program: string }
  | { readonly kind: 'acknowledge'; readonly program: string }
  | { readonly kind: 'new_notes'; readonly program: string }
  | { readonly kind: 'store_fault'; readonly fault: StoreFault; readonly onlyWrites: boolean; readonly forMs: number }
  | { readonly kind: 'store_slow'; readonly byMs: number; readonly forMs: number }
  | { readonly kind: 'store_lags'; readonly byMs: number; readonly forMs: number }
  | { readonly kind: 'failover'; readonly awayMs: number }
  | { readonly kind: 'pid1_silent'; readonly forMs: number }
  | { readonly kind: 'pid1_slow'; readonly byMs: number; readonly forMs: number }
  | { readonly kind: 'table_unreadable'; readonly forMs: number }
  | {
      readonly kind: 'starts_go_wrong';
      readonly program: string;
      readonly how: 'fails' | 'hangs' | 'skips' | 'diesSoon' | 'hangingStops';
      readonly times: number;
    }
  /** Somebody else's process of the same name. */
  | { readonly kind: 'stranger'; readonly program: string; readonly livesMs: number }
  /** Any other process, which takes the number that is free first. */
  | { readonly kind: 'newcomer'; readonly livesMs: number }
  /** An administrator starts the program of a unit by hand. */
  | { readonly kind: 'by_hand'; readonly program: string; readonly livesMs: number }
  | { readonly kind: 'hold'; readonly program: string | null; readonly forMs: number | undefined }
  | { readonly kind: 'release' }
  | { readonly kind: 'order'; readonly program: string }
  | { readonly kind: 'reload'; readonly variant: number; readonly otherStore: boolean }
  /** `atCall`: not before the daemon's so manieth call from now; 0: at once. `power`: of the whole machine. */
  | { readonly kind: 'crash'; readonly atCall: number; readonly downMs: number; readonly power: boolean }
  | { readonly kind: 'stop'; readonly isHasty: boolean; readonly downMs: number };

/** One happening, and how long after the one before. */
export type Step = { readonly number: number; readonly afterMs: number } & Happening;

/** Draws what happens in a run. */
export function drawSteps(seed: number, { programs }: Scenario): Step[] {
  const chance = new Chance(seed ^ 0x5e_ed);
  const count = chance.number(15, 60);
  // Each run has troubles of its own: where everything goes wrong at once, most of it is never reached.
  const kinds = KINDS.filter(([kind]) => ALWAYS.includes(kind) || chance.percent(45));
  const weighted = kinds.flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));
  return Array.from({ length: count }, (_, number): Step => {
    const afterMs = chance.one([0, 20, 300, 1000, 3000, 8000, 20_000]);
    const kind = chance.one(weighted);
    return { number, afterMs, ...draw(kind, chance, chance.one(programs).name) };
  });
}

type Kind = Happening['kind'];

const ALWAYS: readonly Kind[] = ['dies', 'raise', 'sickens', 'crash'];

/** How often each happens. */
const KINDS: readonly (readonly [Kind, number])[] = [
  ['dies', 16],
  ['sickens', 8],
  ['raise', 8],
  ['detector', 6],
  ['others_clear', 8],
  ['acknowledge', 2],
  ['new_notes', 4],
  ['store_fault', 8],
  ['store_slow', 6],
  ['store_lags', 4],
  ['failover', 3],
  ['pid1_silent', 4],
  ['pid1_slow', 4],
  ['table_unreadable', 3],
  ['starts_go_wrong', 14],
  ['stranger', 5],
  ['newcomer', 8],
  ['by_hand', 3],
  ['hold', 6],
  ['release', 4],
  ['order', 5],
  ['reload', 5],
  ['crash', 12],
  ['stop', 3],
];

function draw(kind: Kind, chance: Chance, program: string): Happening {
  const forMs = chance.one([200, 2000, 6000, 15_000, 40_000]);
  switch (kind) {
    case 'dies':
      return { kind, program, raiseInMs: chance.percent(85) ? chance.one([0, 0, 500, 4000]) : undefined };
    case 'sickens':
      return { kind, program, raiseInMs: chance.one([0, 500, 4000]) };
    case 'store_fault':
      return { kind, fault: chance.one(storeFaults), onlyWrites: chance.percent(40), forMs };
    case 'store_slow':
      return { kind, byMs: chance.one([200, 1500, 4000, 8000, 12_000]), forMs: forMs * 2 };
    case 'store_lags':
      return { kind, byMs: chance.one([500, 3000, 12_000]), forMs };
    case 'failover':
      return { kind, awayMs: chance.one([100, 3000, 20_000]) };
    case 'pid1_silent':
      return { kind, forMs };
    case 'pid1_slow':
      return { kind, byMs: chance.one([200, 1500, 6000]), forMs };
    case 'table_unreadable':
      return { kind, forMs };
    case 'starts_go_wrong': {
      const how = chance.one(['fails', 'fails', 'hangs', 'skips', 'diesSoon', 'diesSoon', 'hangingStops'] as const);
      return { kind, program, how, times: chance.number(1, 4) };
    }
    case 'stranger':
    case 'by_hand':
      return { kind, program, livesMs: forMs };
    case 'newcomer':
      return { kind, livesMs: forMs };
    case 'hold':
      return { kind, program: chance.percent(20) ? null : program, forMs: chance.percent(60) ? forMs : undefined };
    case 'reload':
      return { kind, variant: chance.number(0, VARIANTS - 1), otherStore: chance.percent(15) };
    case 'crash': {
      const atCall = chance.percent(30) ? 0 : chance.one([chance.number(1, 12), chance.number(1, 60), chance.number(1, 300)]);
      return { kind, atCall, downMs: chance.one([100, 1000, 5000, 30_000]), power: chance.percent(15) };
    }
    case 'stop':
      return { kind, isHasty: chance.percent(50), downMs: chance.one([100, 5000]) };
    case 'release':
      return { kind };
    default:
      return { kind, program };
  }
}

/** A step as a line for people. */
export function describeStep({ number, afterMs, kind, ...rest }: Step): string {
  const words = Object.entries(rest).map(([key, value]) => `${key}=${value}`);
  return `${String(number).padStart(3)}  +${afterMs} ms  ${kind} ${words.join(' ')}`;
}
