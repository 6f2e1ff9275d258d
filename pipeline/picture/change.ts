/** Pictures changed a little or brought to one contrast, to see what a unit thinks of them then. Planes of 0..255. */

import { resamplePlanes, resizing } from '../recipe/resampling.ts';
import type { Planes } from './display.ts';

const clamp = (place: number, side: number): number => Math.min(side - 1, Math.max(0, place));

/** The picture moved `down` and `right` by whole pixels; what comes in repeats the border. */
export function shifted(picture: Planes, down: number, right: number): Planes {
  const { channels, height, width, data } = picture;
  const moved = new Float32Array(data.length);
  for (let channel = 0, index = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      const row = (channel * height + clamp(y - down, height)) * width;
      for (let x = 0; x < width; x++) moved[index++] = data[row + clamp(x - right, width)] as number;
    }
  }
  return { channels, height, width, data: moved };
}

/** The picture enlarged `factor` times about its centre, its size kept: bilinear, the border repeated. */
export function zoomed(picture: Planes, factor: number): Planes {
  const { channels, height, width, data } = picture;
  const rows = sources(height, factor);
  const columns = sources(width, factor);
  const result = new Float32Array(data.length);
  for (let channel = 0, index = 0; channel < channels; channel++) {
    const plane = channel * height * width;
    for (const [top, bottom, down] of rows) {
      for (const [left, right, across] of columns) {
        const at = (y: number, x: number): number => data[plane + y * width + x] as number;
        const above = at(top, left) * (1 - across) + at(top, right) * across;
        const below = at(bottom, left) * (1 - across) + at(bottom, right) * across;
        result[index++] = above * (1 - down) + below * down;
      }
    }
  }
  return { channels, height, width, data: result };
}

/** For each place of a side: the two places it is read from, and the second one's share. */
function sources(side: number, factor: number): [before: number, after: number, share: number][] {
  const centre = (side - 1) / 2;
  return Array.from({ length: side }, (_, place) => {
    const source = clamp((place - centre) / factor + centre, side);
    const before = Math.floor(source);
    return [before, clamp(before + 1, side), source - before];
  });
}

/**
 * The picture with its deviation from `grey` (a value a channel) scaled to a root mean square of `contrast`, clipped
 * to 0..255 and rounded. A picture that is grey everywhere stays so.
 */
export function atContrast(picture: Planes, grey: readonly number[], contrast: number): Planes {
  const { channels, height, width, data } = picture;
  const area = height * width;
  const greyAt = (index: number): number => grey[Math.floor(index / area)] as number;
  const square = data.reduce((sum, value, index) => sum + (value - greyAt(index)) ** 2, 0) / data.length;
  const gain = square === 0 ? 0 : contrast / Math.sqrt(square);
  const changed = data.map((value, index) => {
    const wanted = greyAt(index) + gain * (value - greyAt(index));
    return Math.min(255, Math.max(0, Math.round(wanted)));
  });
  return { channels, height, width, data: changed };
}

/** The picture at another size: between neighbours bilinear, and made from all that lie around where it gets smaller. */
export function resized(picture: Planes, height: number, width: number): Planes {
  const { channels } = picture;
  const rows = resizing(picture.height, height, 'bilinear', true);
  const columns = resizing(picture.width, width, 'bilinear', true);
  return { channels, height, width, data: resamplePlanes(picture.data, rows, columns) };
}
