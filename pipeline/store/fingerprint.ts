/** The hash of all that determines a rendering. Equal fingerprint, no work. */

import canonicalize from 'canonicalize';
import { GraphBuilder } from '../network/build.ts';
import { copier, cutAtLayer, toLayout, type UnitSlice } from '../network/cut.ts';
import type { Tensor } from '../network/graph.ts';
import type { Layer, Network } from '../network/network.ts';
import { frameSteps } from '../recipe/frames.ts';
import { lastResort } from '../recipe/resolve.ts';
import type { Scaling } from '../recipe/scaling.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { PictureSize } from '../recipe/size.ts';
import { structureOf } from './structure.ts';

/**
 * What the fingerprint covers. Left out, because the picture does not depend on them: file name, format, names of
 * layers and classes; which form of an operation a file has of several that mean the same; the recipe's name and
 * source, and where its picture lies; engine, device, batch size, threads (results agree to rounding); how the picture
 * is encoded (a key of its own); time.
 */
export interface FingerprintFields {
  /** Goes up when the same fields come to mean another picture or other measures. */
  readonly version: number;
  /** sha256 of the network's operations below the layer and in it; of the class scores all, since their softmax is measured. */
  readonly structure: string;
  /** sha256 of the weights below the layer, and of the layer all that its units share. */
  readonly weights: string;
  /** sha256 of the unit's own slice of the layer's weights. */
  readonly slice: string;
  /** Random numbers are drawn by the unit's index. */
  readonly unit: number;
  readonly scaling: Scaling;
  /** Resolved, without name and source. */
  readonly recipe: object;
  /** The recipe of last resort: whether a unit is called dead depends on it, and how one is shown that only it finds. */
  readonly lastResort: object;
  readonly size: PictureSize;
  /** The steps whose pictures are kept. */
  readonly frames: readonly number[];
  readonly seed: number;
}

export const RENDERING_VERSION = 1;

/** The fields as numbers, or as sha256 of their canonical JSON: what of two fingerprints differs shows in these. */
export type FingerprintParts = {
  readonly [field in keyof FingerprintFields]: FingerprintFields[field] extends number ? number : string;
};

/** A unit's fingerprint, sha256 in hex, and what it is the hash of. */
export interface Fingerprint {
  readonly fingerprint: string;
  readonly parts: FingerprintParts;
}

/** Hashes the network up to `layer` once; each unit of the function returned then costs only its own slice. */
export async function fingerprintLayer(
  network: Network,
  layer: Layer,
  recipe: Recipe,
  scaling: Scaling,
  size: PictureSize,
): Promise<(unit: number, seed: number) => Promise<Fingerprint>> {
  const { slices, ...digests } = await digestUpTo(network, layer);
  const shared = {
    version: RENDERING_VERSION,
    ...digests,
    scaling: await digestOf(scaling),
    recipe: await digestOf(whatCounts(recipe)),
    lastResort: await digestOf(whatCounts(lastResort)),
    size: await digestOf(size),
    frames: await digestOf(frameSteps(recipe.steps)),
  };
  return async (unit, seed) => {
    const slice = await sha256(...slices.map(({ pick }) => bytesOf(pick(unit))));
    const parts = { ...shared, slice, unit, seed };
    return { fingerprint: await fingerprintOfParts(parts), parts };
  };
}

/** The fingerprint of which these are the parts. */
export const fingerprintOfParts = (parts: FingerprintParts): Promise<string> => digestOf(parts);

/** A recipe without what changes no pixel; a picture that it starts from is known by its bytes. */
function whatCounts({ name: _name, source: _source, start, ...counts }: Recipe): object {
  if (start.kind !== 'image' || start.sha256 === undefined) return { ...counts, start };
  const { file: _file, ...known } = start;
  return { ...counts, start: known };
}

/** The network up to the layer as hashes that know no names, and the slices that are left out of them. */
async function digestUpTo(
  network: Network,
  layer: Layer,
): Promise<{ structure: string; weights: string; slices: readonly UnitSlice[] }> {
  const build = new GraphBuilder(undefined, network.graph.opset);
  const picture = build.input('picture', [1, network.input.channels, null, null]);
  const copy = copier(
    build,
    network.graph,
    new Map([[network.input.name, toLayout(build, picture, network)]]),
  );
  const { slices, linear, activation } = cutAtLayer(build, network, layer, picture, 1, copy);
  const outputs = layer.kind === 'scores' ? [linear, activation, copy(layer.linear)] : [linear, activation];
  const { weights, ...structure } = structureOf(build.graph(outputs), outputs);
  return {
    structure: await digestOf([network.graph.opset, layer.kind === 'scores', structure]),
    weights: await digestOf(await Promise.all(weights.map(tensorDigest))),
    slices,
  };
}

/** A tensor never changes, and one may be met in every layer above it. */
const known = new WeakMap<Tensor, Promise<string>>();

function tensorDigest(tensor: Tensor): Promise<string> {
  let digest = known.get(tensor);
  if (digest === undefined) {
    digest = sha256(bytesOf(tensor.data));
    known.set(tensor, digest);
  }
  return digest;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** Of a value's canonical JSON (RFC 8785) as UTF-8. */
const digestOf = (value: unknown): Promise<string> => sha256(new TextEncoder().encode(canonicalize(value)));

/** sha256 in hex: of one part its own, of several that of their hashes in a row. */
async function sha256(...parts: Uint8Array<ArrayBuffer>[]): Promise<string> {
  const digests = await Promise.all(parts.map((part) => crypto.subtle.digest('SHA-256', part)));
  const [first, ...others] = digests.map((digest) => new Uint8Array(digest));
  if (first !== undefined && others.length === 0) return hex(first);
  return sha256(Uint8Array.from(digests.flatMap((digest) => [...new Uint8Array(digest)])));
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
