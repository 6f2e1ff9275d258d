/**
 * How many pictures climb together. It changes speed and memory, and no picture. Memory is bounded by
 *
 *     420 MB + 4 · weights + 32 · kernels + batch · (8 · (values + largest) + 100 · picture) bytes
 *
 * weights: of the whole network; kernels: weights of convolutions up to the layer, which are there forwards and turned
 * around, and by Winograd's way four times as large; values: of all maps of one picture up to the layer, kept for the
 * way back, with what lies unused between them; largest: of the largest map, at work; picture: its own values, with what
 * the optimiser keeps of them, and its frames.
 */

import { PhospheneError } from '../error.ts';
import { type Extent, extentUpTo } from '../network/extent.ts';
import { size, weightBytes } from '../network/graph.ts';
import type { Layer, Network } from '../network/network.ts';
import type { PictureSize } from '../recipe/size.ts';
import { byteCount } from '../words.ts';

/** The program, its libraries, what reading a model file leaves behind, and the sessions that measure pictures. */
const ofProcess = 420e6;

/** The most bytes that rendering `layer` takes with this batch, by the formula above. */
export function memoryBytes(
  network: Network,
  { kernels, values, largest }: Pick<Extent, 'kernels' | 'values' | 'largest'>,
  picture: PictureSize,
  batch: number,
): number {
  const pictureValues = size([picture.channels, picture.height, picture.width]);
  return (
    ofProcess +
    weightBytes(network.graph) +
    32 * kernels +
    batch * (8 * (values + largest) + 100 * pictureValues)
  );
}

/** What may be taken where nobody says. */
const defaultBytes = 1.2e9;
/** More would not make it faster: the tiles of so many pictures repay the reading of the kernels. */
const mostPictures = 16;
const mostPixels = 2 ** 17;

/**
 * The number of pictures a step for so many units of a layer.
 * @param maxBytes What may be taken.
 * @throws PhospheneError where one picture would take more than `maxBytes`.
 */
export function batchFor(
  network: Network,
  layer: Layer,
  picture: PictureSize,
  units: number,
  maxBytes?: number,
): number {
  const extent = extentUpTo(network, layer, picture);
  const bytes = (batch: number): number => memoryBytes(network, extent, picture, batch);
  if (maxBytes !== undefined && bytes(1) > maxBytes) {
    throw new PhospheneError(
      `Expected --max-memory to leave room for one picture of ${picture.width}×${picture.height} px at layer '${layer.name}', which may take ${byteCount(bytes(1))}, found ${byteCount(maxBytes)}; allow more, or make pictures smaller with --size`,
    );
  }
  const room = Math.floor(((maxBytes ?? defaultBytes) - bytes(0)) / (bytes(1) - bytes(0)));
  const quick = Math.floor(mostPixels / (picture.height * picture.width));
  const most = Math.max(1, Math.min(units, mostPictures, quick, room));
  // An odd number cannot be shared out evenly among cores.
  return most > 1 && most < units ? most - (most % 2) : most;
}
