/** The hash of all that determines a rendering. Equal fingerprint, no work. */

import canonicalize from 'canonicalize';
import { GraphBuilder } from '../network/build.ts';
import { copier, cutAtLayer, type UnitSlice } from '../network/cut.ts';
import type { Attribute, Tensor } from '../network/graph.ts';
import type { Layer, Network } from '../network/network.ts';
import type { PictureSize } from '../recipe/parameterisations.ts';
import { lastResort } from '../recipe/resolve.ts';
import type { Scaling } from '../recipe/scaling.ts';
import type { Recipe } from '../recipe/schema.ts';

/**
 * What the fingerprint covers. Left out, because the picture does not depend on them: file name, format and names of
 * layers; the recipe's name and source; engine, device, batch size, threads (results agree to rounding); how the
 * picture is encoded (a key of its own); time.
 */
export interface FingerprintFields {
  /** Goes up when the same fields come to mean another picture or other measures. */
  readonly version: number;
  /** Structure and weights of the network below the layer, and of the layer all that its units share. */
  readonly network: string;
  /** The unit's own slice of the layer's weights; of the class scores all, since their softmax is measured. */
  readonly slice: string;
  /** Random numbers are drawn by the unit's index. */
  readonly unit: number;
  readonly scaling: Scaling;
  /** Resolved, without name and source. Its steps determine the frames that are kept. */
  readonly recipe: Omit<Recipe, 'name' | 'source'>;
  /** The recipe of last resort: whether a unit is called dead depends on it, and how one is shown that only it finds. */
  readonly lastResort: Omit<Recipe, 'name' | 'source'>;
  readonly size: PictureSize;
  readonly seed: number;
}

export const RENDERING_VERSION = 1;

/** What the units of a layer share of their fingerprints. */
export interface LayerFingerprint {
  /** sha256 in hex. */
  ofUnit(unit: number, seed: number): Promise<string>;
  /** The fields behind `ofUnit`, to say which of them differs. */
  fieldsOfUnit(unit: number, seed: number): Promise<FingerprintFields>;
}

/** Hashes the network up to `layer` once; each unit then costs only its own slice. */
export async function fingerprintLayer(
  network: Network,
  layer: Layer,
  recipe: Recipe,
  scaling: Scaling,
  size: PictureSize,
): Promise<LayerFingerprint> {
  const { digest, slices } = await digestUpTo(network, layer);
  const fieldsOfUnit = async (unit: number, seed: number): Promise<FingerprintFields> => ({
    version: RENDERING_VERSION,
    network: digest,
    slice: await sha256(...slices.map(({ pick }) => bytesOf(pick(unit)))),
    unit,
    scaling,
    recipe: whatCounts(recipe),
    lastResort: whatCounts(lastResort),
    size,
    seed,
  });
  return {
    fieldsOfUnit,
    ofUnit: async (unit, seed) => sha256(canonical(await fieldsOfUnit(unit, seed))),
  };
}

const whatCounts = ({ name: _name, source: _source, ...counts }: Recipe): Omit<Recipe, 'name' | 'source'> =>
  counts;

/** The network up to the layer as a hash that knows no names, and the slices that are left out of it. */
async function digestUpTo(
  network: Network,
  layer: Layer,
): Promise<{ digest: string; slices: readonly UnitSlice[] }> {
  const build = new GraphBuilder(undefined, network.graph.opset);
  const picture = build.input('picture', [1, network.input.channels, null, null]);
  const { slices } = cutAtLayer(build, network, layer, picture, 1);
  if (layer.kind === 'scores')
    copier(build, network.graph, new Map([[network.input.name, picture]]))(layer.linear);
  const { inputs, initializers, nodes } = build.graph([]);

  const ids = new Map<string, string>(inputs.map(({ name }, index) => [name, `input ${index}`]));
  const digests = await Promise.all(
    [...initializers].map(
      async ([name, tensor]): Promise<[string, string]> => [name, await tensorDigest(tensor)],
    ),
  );
  for (const [name, digest] of digests) ids.set(name, digest);
  let count = 0;
  const steps: unknown[] = [];
  for (const node of nodes) {
    for (const output of node.outputs) ids.set(output, `value ${count++}`);
    const attributes: [string, unknown][] = [];
    for (const [name, attribute] of Object.entries(node.attributes)) {
      attributes.push([name, await attributeValue(attribute)]);
    }
    steps.push([node.op, node.inputs.map((input) => ids.get(input) ?? ''), Object.fromEntries(attributes)]);
  }
  return { digest: await sha256(canonical([network.graph.opset, network.input.layout, steps])), slices };
}

const attributeValue = async (attribute: Attribute): Promise<unknown> =>
  attribute.kind === 'tensor' ? tensorDigest(attribute.value) : attribute.value;

/** A tensor never changes, and one may be met in every layer above it. */
const known = new WeakMap<Tensor, Promise<string>>();

function tensorDigest(tensor: Tensor): Promise<string> {
  let digest = known.get(tensor);
  if (digest === undefined) {
    digest = sha256(canonical([tensor.type, tensor.dims]), bytesOf(tensor.data));
    known.set(tensor, digest);
  }
  return digest;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** Canonical JSON (RFC 8785) as UTF-8. */
function canonical(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(canonicalize(value));
}

/** sha256 in hex: of one part its own, of several that of their hashes in a row. */
async function sha256(...parts: Uint8Array<ArrayBuffer>[]): Promise<string> {
  const digests = await Promise.all(parts.map((part) => crypto.subtle.digest('SHA-256', part)));
  const [first, ...others] = digests.map((digest) => new Uint8Array(digest));
  if (first !== undefined && others.length === 0) return hex(first);
  return sha256(Uint8Array.from(digests.flatMap((digest) => [...new Uint8Array(digest)])));
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
