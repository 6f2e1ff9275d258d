/** Picks what to show where there is room for less than all. */

import type { GalleryModel, LayerSummary } from '../../content/schema.ts';
import { pictureAt } from './address.ts';

/** At most `most` of the items, spread evenly from the first to the last. */
export function evenly<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  if (most === 1) return items.slice(0, 1);
  return Array.from({ length: most }, (_, place) =>
    Math.round((place * (items.length - 1)) / (most - 1)),
  ).flatMap((index) => items.slice(index, index + 1));
}

/** Layers that stand for a model, from its first to its last. */
export const layersAcross = (model: GalleryModel): readonly LayerSummary[] =>
  evenly(
    model.layers.filter(({ samples }) => samples.length > 0),
    8,
  );

/** The model that stands for the gallery: in colour, which carries further across a room, and with the most to show. */
export function faceModel(models: readonly GalleryModel[]): GalleryModel | undefined {
  const inColour = models.filter(({ input }) => input.channels === 3);
  const pictures = (model: GalleryModel): number =>
    layersAcross(model).reduce((sum, { samples }) => sum + samples.length, 0);
  return (inColour.length > 0 ? inColour : models).toSorted((a, b) => pictures(b) - pictures(a))[0];
}

/** The width that all these pictures share, or undefined. */
export function sharedWidth(pictures: readonly { readonly widthPx: number }[]): number | undefined {
  const [first] = pictures;
  return pictures.every(({ widthPx }) => widthPx === first?.widthPx) ? first?.widthPx : undefined;
}

/** The address of the picture that stands for a layer where the page is linked to. */
export function faceOfLayer(model: GalleryModel, layer: LayerSummary): string | undefined {
  const [first] = layer.samples;
  return first && pictureAt(model.slug, layer.slug, first.unit, first.file);
}

/** The same for a model: of its deepest layer that has one. */
export function faceOf(model: GalleryModel): string | undefined {
  const last = model.layers.findLast(({ samples }) => samples.length > 0);
  return last && faceOfLayer(model, last);
}
