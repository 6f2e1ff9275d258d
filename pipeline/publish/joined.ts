/** A model of which some layers are not shown: what takes its input from one of those takes it from what lies before. */

import type { LayerSummary } from '../../content/schema.ts';

interface Wired {
  readonly slug: string;
  readonly inputs?: readonly string[];
}

/**
 * The shown layers, their inputs among themselves.
 * @param all What is shown and what is not, with the inputs that the network gives them.
 */
export function joined(shown: readonly LayerSummary[], all: readonly Wired[]): LayerSummary[] {
  const isShown = new Set(shown.map(({ slug }) => slug));
  const inputsOf = new Map(all.map(({ slug, inputs }) => [slug, inputs]));
  const nearest = (slug: string): readonly string[] => {
    const found = new Set<string>();
    const seen = new Set<string>();
    const open = [...(inputsOf.get(slug) ?? [])];
    for (let input = open.pop(); input !== undefined; input = open.pop()) {
      if (seen.has(input)) continue;
      seen.add(input);
      if (isShown.has(input)) found.add(input);
      else open.push(...(inputsOf.get(input) ?? []));
    }
    return shown.flatMap((layer) => (found.has(layer.slug) ? layer.slug : []));
  };
  return shown.map((layer) =>
    layer.inputs === undefined ? layer : { ...layer, inputs: [...nearest(layer.slug)] },
  );
}
