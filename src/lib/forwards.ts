/** Addresses that are not in the gallery any more: where each leads now, or what note is left of it. */

import type { GalleryIndex, GalleryModel, Gone, LayerSummary } from '../../content/schema.ts';

/** A model, a layer or a unit that is at another address now; both as `model/layer/unit`, as far as it goes. */
export interface Forward {
  readonly from: string;
  readonly to: string;
}

export function forwardsOf(gallery: GalleryIndex | undefined): Forward[] {
  return (gallery?.moved ?? []).flatMap(({ from, to, units }) =>
    units === undefined
      ? [{ from, to }]
      : units.flatMap(([first, last]) =>
          Array.from({ length: last - first + 1 }, (_, place) => ({
            from: `${from}/${first + place}`,
            to: `${to}/${first + place}`,
          })),
        ),
  );
}

/** `model/layer/unit`, as far as it goes. */
export const placeOf = ({ model, layer, unit }: Gone): string =>
  [model.slug, layer?.slug, unit].filter((part) => part !== undefined).join('/');

/** The model and the layer that a place of the gallery is in. @throws where it is in none: `publish` has a defect. */
export function layerAt(
  gallery: GalleryIndex,
  place: string,
): { readonly model: GalleryModel; readonly layer: LayerSummary } {
  const [slug, layerSlug] = place.split('/');
  const model = gallery.models.find((other) => other.slug === slug);
  const layer = model?.layers.find((other) => other.slug === layerSlug);
  if (model !== undefined && layer !== undefined) return { model, layer };
  throw new Error(`Expected ${place} in the gallery, to which an old address leads. Publish again.`);
}
