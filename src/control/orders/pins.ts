// The order that shows how programs could be pinned.
import { flag, listOf, nullable, optional } from '../../core/shape.ts';
import { type Input, processName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, converted, count, object, type Shaped, strictObject, texts } from '../shape.ts';

const input: Input<[name: string | undefined]> = {
  read: converted(strictObject({ name: optional(processName) }), ({ name }) => [name]),
  write: (name) => ({ name }),
};

const pinOffer = object({
  name: anyText,
  /** The name under which its pin is stored. */
  systemName: anyText,
  /** SHA-256 over the whole offer, hexadecimal, so that what is pinned is what was shown. */
  digest: anyText,
  /** true: as it runs now; false: as it was recorded. */
  running: flag,
  /** Why it would not be started again without a pin; null if it would. */
  concern: nullable(anyText),
  launches: listOf(
    object({
      argv: texts,
      executable: anyText,
      cwd: anyText,
      uid: count,
      gid: count,
      groups: listOf(count),
      /** Only the names of the environment's variables: their values may be secrets. */
      variables: texts,
      /** The files that it executes, as far as they are known, with SHA-256. */
      files: listOf(object({ path: anyText, sha256: anyText })),
    }),
  ),
});

/** How a program could be pinned. Its texts are whatever the process says about itself. */
export type PinOffer = Shaped<typeof pinOffer>;

/**
 * How `name` could be pinned (`offers`), or why it cannot be (`refusals`): GET /v1/pins?name=NAME; without a name: the same for
 * each program that would not be started again without a pin.
 */
export const pins = {
  method: 'GET',
  path: '/v1/pins',
  scope: 'root',
  withoutDaemon: 'look',
  timeoutMs: USUAL_MS,
  input,
  reply: done(object({ offers: listOf(pinOffer), refusals: listOf(object({ name: anyText, reason: anyText })) })),
} as const satisfies Order;
