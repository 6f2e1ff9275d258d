/** A strip: pictures of one size side by side in one row, as on a film. */

/** Rows of interleaved 8-bit channels. */
export interface Pixels {
  /** heightPx × widthPx × channels. */
  readonly pixels: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
  /** 1 grey, 3 RGB. */
  readonly channels: 1 | 3;
}

/** Puts pictures of one size side by side, first to last from left to right. @throws RangeError for none, or two sizes. */
export function joinStrip(pictures: readonly Pixels[]): Pixels {
  const [first] = pictures;
  if (first === undefined) throw new RangeError('Expected at least one picture for a strip, got none');
  const { widthPx, heightPx, channels } = first;
  const rowBytes = widthPx * channels;
  const pixels = new Uint8Array(rowBytes * heightPx * pictures.length);
  pictures.forEach((picture, place) => {
    const same =
      picture.widthPx === widthPx &&
      picture.heightPx === heightPx &&
      picture.channels === channels &&
      picture.pixels.length === rowBytes * heightPx;
    if (!same) {
      throw new RangeError(
        `Expected picture ${place} of a strip to hold ${widthPx} × ${heightPx} × ${channels} values, got ${picture.pixels.length} of ${picture.widthPx} × ${picture.heightPx} × ${picture.channels}`,
      );
    }
    for (let row = 0; row < heightPx; row++) {
      const source = picture.pixels.subarray(row * rowBytes, (row + 1) * rowBytes);
      pixels.set(source, (row * pictures.length + place) * rowBytes);
    }
  });
  return { pixels, widthPx: widthPx * pictures.length, heightPx, channels };
}

/** The pictures of a strip, from left to right. @throws RangeError if its width is no multiple of `count`. */
export function splitStrip(strip: Pixels, count: number): Pixels[] {
  const widthPx = strip.widthPx / count;
  if (count < 1 || !Number.isInteger(widthPx)) {
    throw new RangeError(`Expected a strip of ${count} pictures, got one ${strip.widthPx} px wide`);
  }
  const { heightPx, channels } = strip;
  const rowBytes = widthPx * channels;
  return Array.from({ length: count }, (_, place) => {
    const pixels = new Uint8Array(rowBytes * heightPx);
    for (let row = 0; row < heightPx; row++) {
      const start = (row * count + place) * rowBytes;
      pixels.set(strip.pixels.subarray(start, start + rowBytes), row * rowBytes);
    }
    return { pixels, widthPx, heightPx, channels };
  });
}

/** At most `limit` of the indices 0 … count - 1, evenly spread, the first and the last among them. */
export function spread(count: number, limit: number): number[] {
  if (count <= limit) return Array.from({ length: count }, (_, index) => index);
  if (limit <= 1) return [count - 1];
  return Array.from({ length: limit }, (_, place) => Math.round((place * (count - 1)) / (limit - 1)));
}
