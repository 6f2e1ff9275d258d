/** The page before or after another one. */

import type { GalleryModel, LayerSummary, UnitRecord } from '../../content/schema.ts';
import { address, pictureAt } from './address.ts';
import { plainName, unitName } from './words.ts';

export interface Neighbour {
  readonly name: string;
  readonly address: string;
  /** Dead units have none. */
  readonly picture?: string;
  readonly widthPx?: number;
  readonly heightPx?: number;
}

export function unitNeighbour(
  model: GalleryModel,
  layer: LayerSummary,
  unit: UnitRecord | undefined,
): Neighbour | undefined {
  if (unit === undefined) return undefined;
  const page = { name: unitName(unit), address: address.unit(model.slug, layer.slug, unit.unit) };
  if (unit.measures.dead) return page;
  const { widthPx, heightPx } = unit.image;
  return {
    ...page,
    picture: pictureAt(model.slug, layer.slug, unit.unit, unit.image.file),
    widthPx,
    heightPx,
  };
}

export function layerNeighbour(model: GalleryModel, layer: LayerSummary | undefined): Neighbour | undefined {
  if (layer === undefined) return undefined;
  return { name: plainName(layer.name, 40), address: address.layer(model.slug, layer.slug) };
}
