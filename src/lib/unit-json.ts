/** A rendering as others read it, at `/{model}/{layer}/{unit}.json`. */

import type { UnitJson } from '../../content/schema.ts';
import { absolute, address, pictureAt, stripAt } from './address.ts';
import { plainCitation } from './cite.ts';
import { recipeOf, type UnitView } from './gallery.ts';
import { permanentSlug } from './releases.ts';

/** `site`: the host that the gallery is published at, where it is known; else addresses are paths. */
export function unitAsJson(view: UnitView, site: URL | undefined): UnitJson {
  const { model, layer, unit, previous, next } = view;
  const { slug, title, sha256 } = model;
  const at = (path: string): string => absolute(path, site);
  const neighbour = (other: typeof previous): string | null =>
    other === undefined ? null : at(address.record(slug, layer.layer.slug, other.unit));
  const { name, slug: layerSlug, kind, index } = layer.layer;
  const permanent = permanentSlug(view);
  return {
    model: { slug, title, sha256 },
    layer: { name, slug: layerSlug, kind, index },
    unit: unit.unit,
    ...(unit.label === undefined ? {} : { label: unit.label }),
    image: {
      url: at(pictureAt(slug, layerSlug, unit.unit, unit.image.file)),
      width: unit.image.widthPx,
      height: unit.image.heightPx,
    },
    strip: { url: at(stripAt(slug, layerSlug, unit.unit, unit.strip.file)), frames: unit.strip.frames },
    recipe: recipeOf(layer, unit),
    objective: unit.objective,
    ...(permanent === undefined ? {} : { permanent: at(address.unit(permanent, layerSlug, unit.unit)) }),
    measures: unit.measures,
    fingerprint: unit.fingerprint,
    engine: unit.engine,
    device: unit.device,
    seconds: unit.seconds,
    renderedAt: unit.renderedAt,
    neighbours: { previous: neighbour(previous), next: neighbour(next) },
    cite: plainCitation({
      model,
      layer: layer.layer,
      unit,
      page: at(address.unit(permanent ?? slug, layerSlug, unit.unit)),
    }),
  };
}
