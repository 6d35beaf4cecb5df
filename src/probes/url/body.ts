// Reads the body of an HTTP answer, unpacked, with bounds.
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { KeptBytes } from '../kept-bytes.ts';

/** The body, or why there is none. */
export type Body =
  /** `isCut`: there is more of it, which was not read. */
  | { readonly kind: 'read'; readonly text: string; readonly isCut: boolean }
  | { readonly kind: 'broken'; readonly reason: string }
  /** It is packed in a way that we do not know. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** The encodings that readBody can unpack. */
export const ENCODINGS = 'gzip, deflate, br';

/**
 * Reads the first 1 MiB. Of a packed body no more is unpacked, and no more than 4 MiB of it is taken: some packed bytes unpack to a
 * thousand times as many, others to none. Never rejects; if `response` hangs, the caller destroys it.
 */
export async function readBody(response: IncomingMessage): Promise<Body> {
  // From the start on: it may break while zlib is being loaded.
  response.on('error', () => {});
  const encoding = (response.headers['content-encoding'] ?? '').trim().toLowerCase();
  const isPlain = encoding === '' || encoding === 'identity';
  const opener = isPlain ? undefined : await openerOf(encoding);
  if (!isPlain && opener === undefined) {
    return { kind: 'unreadable', reason: 'the body is packed in a way that is not understood' };
  }
  return await new Promise((resolve) => {
    const kept = new KeptBytes(MOST_UNPACKED);
    let taken = 0;
    let pieces = 0;
    let unpacker: Transform | undefined;
    const finish = (body: Body): void => {
      response.destroy();
      unpacker?.destroy();
      resolve(body);
    };
    const read = (isCut: boolean): void => finish({ kind: 'read', text: kept.bytes().toString('utf8'), isCut });
    const keep = (chunk: Buffer): void => {
      if (!kept.add(chunk)) read(true);
    };
    const unpack = (chunk: Buffer, open: (first: Buffer) => Transform): void => {
      if (unpacker === undefined) {
        unpacker = open(chunk);
        unpacker.on('data', keep);
        unpacker.on('end', () => read(false));
        unpacker.on('error', () => finish({ kind: 'broken', reason: 'the body cannot be unpacked' }));
        unpacker.on('drain', () => response.resume());
      }
      taken += chunk.length;
      if (taken > MOST_PACKED) read(true);
      else if (!unpacker.write(chunk)) response.pause();
    };
    if (response.destroyed && !response.complete) return finish(BROKEN);
    response.on('data', (chunk: Buffer) => {
      // Each takes its time, however small it is.
      if (++pieces > MOST_PIECES) finish({ kind: 'broken', reason: 'the body comes in too many pieces' });
      else if (opener === undefined) keep(chunk);
      else unpack(chunk, opener);
    });
    response.on('end', () => (unpacker === undefined ? read(false) : unpacker.end()));
    response.on('error', () => finish(BROKEN));
    response.on('close', () => {
      if (!response.complete) finish(BROKEN);
    });
  });
}

const BROKEN: Body = { kind: 'broken', reason: 'the connection broke in the middle of the body' };
const MOST_UNPACKED = 1024 * 1024;
const MOST_PACKED = 4 * 1024 * 1024;
const MOST_PIECES = 50_000;

/** What opens an unpacker, given the first bytes; undefined if the encoding is not known. */
async function openerOf(encoding: string): Promise<((first: Buffer) => Transform) | undefined> {
  const { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } = await import('node:zlib');
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return () => createGunzip();
    case 'br':
      return () => createBrotliDecompress();
    case 'deflate':
      // Many servers leave out the header of zlib, in whose first byte the lower half is 8.
      return (first) => (((first[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw());
    default:
      return undefined;
  }
}
