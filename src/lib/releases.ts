/** Releases: where a unit looks just as it does here, for ever. */

import type { GalleryIndex, GalleryModel } from '../../content/schema.ts';
import type { UnitView } from './gallery.ts';

/** A release that shows a unit. */
export interface ReleaseOfUnit {
  readonly name: string;
  readonly releasedAt: string;
  /** As in the address. */
  readonly slug: string;
  /** Whether it shows the unit just as it is here. */
  readonly isSame: boolean;
}

const isAmong = (unit: number, runs: readonly (readonly [number, number])[]): boolean =>
  runs.some(([first, last]) => unit >= first && unit <= last);

/** Releases that show a unit of the newest gallery, the newest first. */
export function releasesOfUnit({ model, layer, unit: { unit } }: UnitView): ReleaseOfUnit[] {
  return (layer.releases ?? [])
    .filter(({ units }) => isAmong(unit, units))
    .map(({ name, releasedAt, same }) => ({
      name,
      releasedAt,
      slug: `${model.slug}@${name}`,
      isSame: isAmong(unit, same),
    }))
    .reverse();
}

/** The model's slug to link to for ever: a release's own, or that of the newest one that shows the unit just so. */
export function permanentSlug(view: UnitView): string | undefined {
  if (view.model.release !== undefined) return view.model.slug;
  return releasesOfUnit(view).find(({ isSame }) => isSame)?.slug;
}

/** Releases of a model, the newest first. */
export function releasesOfModel(gallery: GalleryIndex | undefined, model: GalleryModel): GalleryModel[] {
  return (gallery?.releases ?? []).filter(({ release }) => release?.of === model.slug).reverse();
}
