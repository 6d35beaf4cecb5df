// Hashes files.
import { createHash } from 'node:crypto';
import { constants, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorMessage } from '../../core/errors.ts';
import { hostPath } from './host-path.ts';

/** The result of hashing a file. */
export type FileHash =
  | { readonly kind: 'hashed' /** Hexadecimal. */; readonly sha256: string }
  /** The reason in one line. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Hashes a regular file of at most 1 GiB by SHA-256, without blocking the event loop. Never rejects. */
export async function hashFile(path: string): Promise<FileHash> {
  try {
    const place = hostPath(path);
    // Opening a device can have an effect.
    if (!statSync(place).isFile()) return { kind: 'failed', reason: `${path} is not a regular file` };
    const file = await open(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      if (!(await file.stat()).isFile()) return { kind: 'failed', reason: `${path} is not a regular file` };
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafeSlow(CHUNK);
      for (let read = 0; ; ) {
        const { bytesRead } = await file.read(buffer, 0, CHUNK);
        if (bytesRead === 0) return { kind: 'hashed', sha256: hash.digest('hex') };
        read += bytesRead;
        if (read > MAX_BYTES) return { kind: 'failed', reason: `${path} is larger than 1 GiB` };
        hash.update(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    return { kind: 'failed', reason: errorMessage(error) };
  }
}

/**
 * Hashes that are computed again only if the file is another one or was changed, according to its inode (inode(7)): for
 * display, not for decisions.
 */
export class FileHashes {
  readonly #known = new Map<string, { readonly version: string; readonly hash: FileHash }>();

  async of(path: string): Promise<FileHash> {
    const version = versionOf(path);
    const known = this.#known.get(path);
    if (version !== undefined && known?.version === version) return known.hash;
    const hash = await hashFile(path);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    if (version !== undefined) this.#known.set(path, { version, hash });
    return hash;
  }
}

const MAX_KNOWN = 1000;

function versionOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(hostPath(path), { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return undefined;
  }
}

/** Bytes that are read at once: a few milliseconds of work. */
const CHUNK = 1024 * 1024;
const MAX_BYTES = 1024 * 1024 * 1024;
