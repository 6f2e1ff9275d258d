/** Zip archives, with bounds: what a header claims is checked before memory is given to it. */

import { unzipSync } from 'fflate';
import { PhospheneError } from '../error.ts';

/** No entry of a model archive is larger: 2 GiB, what one array can hold with room to spare. */
const largestEntryBytes = 2 ** 31;
/** Deflate cannot shrink further than this (zlib's technical notes); a larger claim is a lie. */
const largestRatio = 1032;

/** True where the bytes start as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * The named entries of an archive; those that it does not hold are absent from the result.
 * @throws PhospheneError if the archive is damaged, or an entry claims an impossible size.
 */
export function unzip(file: string, bytes: Uint8Array, names: readonly string[]): Map<string, Uint8Array> {
  const seen = new Set<string>();
  try {
    const entries = unzipSync(bytes, {
      filter: ({ name, size, originalSize, compression }) => {
        if (!names.includes(name)) return false;
        if (seen.has(name)) throw new PhospheneError(`Expected '${file}' to hold one '${name}', found two.`);
        seen.add(name);
        const possible = compression === 0 ? size : size * largestRatio + 1024;
        if (originalSize > Math.min(possible, largestEntryBytes) || size > bytes.length) {
          throw new PhospheneError(
            `Expected '${name}' in '${file}' to fit its archive, but its header claims ${originalSize} bytes made from ${size}: the file is damaged or was made to exhaust memory.`,
          );
        }
        return true;
      },
    });
    return new Map(Object.entries(entries));
  } catch (cause) {
    if (cause instanceof PhospheneError) throw cause;
    throw new PhospheneError(
      `Expected '${file}' to be a whole zip archive, but it is damaged or cut short: export or download it again.`,
      { cause },
    );
  }
}
