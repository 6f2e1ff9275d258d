/** The gallery and its layers as others read them. */

import type { GalleryIndex, GalleryLayer, IndexJson, LayerJson, SearchJson } from '../../content/schema.ts';
import { absolute, address, pictureAt, stripAt } from './address.ts';
import { plainName } from './words.ts';

export function galleryAsJson(gallery: GalleryIndex | undefined, site: URL | undefined): IndexJson {
  return {
    models: (gallery?.models ?? []).map(
      ({ slug, title, summary, source, licence, sha256, format, parameters, input, layers }) => ({
        slug,
        title,
        ...(summary === undefined ? {} : { summary }),
        ...(source === undefined ? {} : { source }),
        ...(licence === undefined ? {} : { licence }),
        sha256,
        format,
        parameters,
        input,
        url: absolute(address.model(slug), site),
        ...releasesAsJson(slug, gallery, site),
        layers: layers.map((layer) => ({
          slug: layer.slug,
          name: layer.name,
          kind: layer.kind,
          index: layer.index,
          units: layer.units,
          published: layer.published,
          dead: layer.dead,
          ...(layer.inputs === undefined ? {} : { inputs: layer.inputs }),
          output: layer.output,
          receptiveFieldPx: layer.receptiveFieldPx,
          url: absolute(address.layer(slug, layer.slug), site),
          record: absolute(address.layerRecord(slug, layer.slug), site),
        })),
      }),
    ),
  };
}

function releasesAsJson(
  slug: string,
  gallery: GalleryIndex | undefined,
  site: URL | undefined,
): Pick<IndexJson['models'][number], 'releases'> {
  const own = (gallery?.releases ?? []).flatMap((model) =>
    model.release?.of === slug
      ? [
          {
            name: model.release.name,
            releasedAt: model.release.releasedAt,
            url: absolute(address.model(model.slug), site),
          },
        ]
      : [],
  );
  return own.length === 0 ? {} : { releases: own };
}

export function layerAsJson({ model, layer, units }: GalleryLayer, site: URL | undefined): LayerJson {
  const at = (path: string): string => absolute(path, site);
  return {
    model,
    layer: layer.slug,
    units: units.map(({ unit, label, fingerprint, measures, image, strip }) => ({
      unit,
      ...(label === undefined ? {} : { label }),
      url: at(address.unit(model, layer.slug, unit)),
      record: at(address.record(model, layer.slug, unit)),
      picture: at(pictureAt(model, layer.slug, unit, image.file)),
      strip: at(stripAt(model, layer.slug, unit, strip.file)),
      fingerprint,
      measures,
    })),
  };
}

/** A gallery of an earlier form does not say which units it shows: all, or of a part those that stand for it. */
export function shownUnits({
  shown,
  published,
  units,
  samples,
}: GalleryLayer['layer']): readonly (readonly [first: number, last: number])[] {
  if (shown !== undefined) return shown;
  return published === units ? [[0, units - 1]] : samples.map(({ unit }) => [unit, unit]);
}

export function searchable(gallery: GalleryIndex | undefined): SearchJson {
  return {
    models: (gallery?.models ?? []).map(({ slug, title, layers, classes }) => ({
      slug,
      title: plainName(title),
      layers: layers.map((layer) => ({
        slug: layer.slug,
        name: plainName(layer.name, 80),
        shown: shownUnits(layer).map(([first, last]): [number, number] => [first, last]),
        ...(layer.kind === 'scores' && classes !== undefined
          ? { labels: classes.map((label) => plainName(label)) }
          : {}),
      })),
    })),
  };
}
