/** A unit as the gallery tells of it, from its rendering; and the names that its files have. */

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { Measures, UnitRecord } from '../../content/schema.ts';
import { stripFrames } from '../picture/encode.ts';
import type { Rendering } from '../store/store.ts';
import { thinned } from './curve.ts';

export type Recipe = Readonly<Record<string, unknown>>;

/** Where, below public/gallery, the two pictures of a rendering lie: one name, one picture, whoever shows it. */
export function pictureFiles(fingerprint: string): { readonly image: string; readonly strip: string } {
  const path = `pictures/${fingerprint.slice(0, 2)}/${fingerprint}`;
  return { image: `${path}.webp`, strip: `${path}.strip.webp` };
}

export function recordOf(unit: number, rendering: Rendering): UnitRecord {
  const { widthPx, heightPx, seed, measures, fingerprint, engine, device, seconds, renderedAt } = rendering;
  const files = pictureFiles(fingerprint);
  const { kind, of } = z
    .object({ kind: z.string(), of: z.string().optional() })
    .catch({ kind: 'unknown' })
    .parse(rendering.recipe['objective']);
  return {
    unit,
    image: { file: files.image, widthPx, heightPx },
    strip: {
      file: files.strip,
      frames: stripFrames(rendering).flatMap((index) => {
        const frame = rendering.frames[index];
        return frame === undefined ? [] : [{ step: frame.step, objective: frame.objective }];
      }),
    },
    recipe: recipeKey(rendering.recipe),
    seed,
    objective: { name: of === undefined ? kind : `${kind} ${of}`, curve: thinned(rendering.curve) },
    measures,
    fingerprint,
    engine,
    device,
    seconds,
    renderedAt,
  };
}

/** The same for equal recipes, whatever the order of their fields. */
function recipeKey(recipe: Recipe): string {
  return createHash('sha256')
    .update(canonicalize(recipe) ?? '')
    .digest('hex')
    .slice(0, 8);
}

/** Class names are the content file's to say, today's and not those of the day when the unit was rendered. */
export function withClassName(
  { prediction, ...measures }: Measures,
  classes: readonly string[] | undefined,
): Measures {
  if (prediction === undefined) return measures;
  const { label: _, ...seen } = prediction;
  const label = classes?.[seen.unit];
  return { ...measures, prediction: label === undefined ? seen : { ...seen, label } };
}
