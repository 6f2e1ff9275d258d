import { describe, expect, it } from 'vitest';
import type { Layer, Network } from '../../pipeline/network/network.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import { fingerprintLayer } from '../../pipeline/store/fingerprint.ts';
import { tinyNetwork } from '../ascent/tiny.ts';

const recipe = resolveRecipe('phosphene', 'test');
const scaling = resolveScaling('0..1', 1);
const size = { channels: 1, height: 12, width: 12 };

interface Changes {
  readonly network?: Network;
  readonly recipe?: typeof recipe;
  readonly scaling?: typeof scaling;
  readonly size?: typeof size;
  readonly seed?: number;
}

/** Fingerprints of all units, by `layer.unit`. */
async function fingerprints(changes: Changes = {}): Promise<Map<string, string>> {
  const network = changes.network ?? tinyNetwork();
  const found = new Map<string, string>();
  for (const layer of network.layers) {
    const own = await fingerprintLayer(
      network,
      layer,
      changes.recipe ?? recipe,
      changes.scaling ?? scaling,
      changes.size ?? size,
    );
    for (let unit = 0; unit < layer.units; unit++) {
      found.set(`${layer.name.at(-1)}${unit}`, await own.ofUnit(unit, changes.seed ?? 0));
    }
  }
  return found;
}

async function changedBy(changes: Changes): Promise<string[]> {
  const before = await fingerprints();
  const after = await fingerprints(changes);
  return [...before.keys()].filter((key) => before.get(key) !== after.get(key));
}

const all = ['a', 'b', 'c', 'd'].flatMap((name) => {
  const { units } = tinyNetwork().layers.find((layer) => layer.name === name) as Layer;
  return Array.from({ length: units }, (_, unit) => `${name}${unit}`);
});
const of = (...names: string[]): string[] => all.filter((key) => names.includes(key[0] as string));

describe('fingerprint', () => {
  it('is a sha256 in hex, different for every unit', async () => {
    const found = [...(await fingerprints()).values()];
    expect(new Set(found).size).toBe(22);
    for (const fingerprint of found) expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['a weight of one filter: that unit and all above it', 'a', 4, ['a4', ...of('b', 'c', 'd')]],
    ['a weight of one filter before a batch normalisation', 'b', 1, ['b1', ...of('c', 'd')]],
    ['a weight of one neuron', 'c', 6, ['c6', ...of('d')]],
    // Every class: the softmax that is measured runs over all of them.
    ['a weight of one class', 'd', 2, of('d')],
  ])('changes with %s, and for no other unit', async (_what, layer, unit, expected) => {
    expect(await changedBy({ network: tinyNetwork(1, { changed: { layer, unit } }) })).toEqual(expected);
  });

  it.each([
    ['the recipe', { recipe: { ...recipe, steps: 65 } }],
    [
      'a field deep in the recipe',
      { recipe: { ...recipe, transforms: [{ kind: 'jitter', pixels: 3, border: 'wrap' } as const] } },
    ],
    ['the input scaling', { scaling: resolveScaling('-1..1', 1) }],
    ['the picture size', { size: { ...size, width: 13 } }],
    ['the seed', { seed: 1 }],
  ])('changes with %s, for every unit', async (_what, changes) => {
    expect(await changedBy(changes)).toEqual(all);
  });

  it.each([
    ["the recipe's name and source", { recipe: { ...recipe, name: 'another', source: 'elsewhere' } }],
    ['the names of layers and values', { network: tinyNetwork(1, { prefix: 'renamed/' }) }],
    ['the format', { network: { ...tinyNetwork(), format: 'keras-h5' as const } }],
  ])('does not change with %s', async (_what, changes) => {
    expect(await changedBy(changes)).toEqual([]);
  });
});
