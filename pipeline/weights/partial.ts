/** What a download does to the disk: bytes put at their place in a growing file, and the checksum of a finished one. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { disk, type Files } from '../files.ts';

/** Paths as in `Files`; failures are Node's own errors with their `code`. */
export interface DownloadFiles extends Files {
  /** Opens a file that keeps what it has; makes it where there is none. */
  openPartial(path: string): Promise<PartialFile>;
  /** The checksum of a whole file, as hex digits. */
  digest(path: string, algorithm: ChecksumAlgorithm, signal: AbortSignal): Promise<string>;
}

export type ChecksumAlgorithm = 'md5' | 'sha256';

export interface PartialFile {
  /** Writes all of `bytes`, the first of them at `offset`: two writers of the same file do each other no harm. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Empties the file. */
  empty(): Promise<void>;
  /** Returns when all that was written is on the disk, not only in its cache. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** The disk of this machine. */
export const downloadDisk: DownloadFiles = {
  ...disk,
  async openPartial(path) {
    const file = await open(path, 'r+').catch(() => open(path, 'w+'));
    return {
      async write(bytes, offset) {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
          done += bytesWritten;
        }
      },
      empty: () => file.truncate(0),
      flush: () => file.sync(),
      close: () => file.close(),
    };
  },
  async digest(path, algorithm, signal) {
    const hash = createHash(algorithm);
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
    return hash.digest('hex');
  },
};
