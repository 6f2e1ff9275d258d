/** The record of a unit or a layer that was published once: that of where it is now, or what is left of it. */

import type { APIRoute } from 'astro';
import type { Gone } from '../../content/schema.ts';
import { absolute, address } from '../lib/address.ts';
import { forwardsOf, layerAt, placeOf } from '../lib/forwards.ts';
import { readGallery, readLayer } from '../lib/gallery.ts';
import { layerAsJson } from '../lib/index-json.ts';
import { unitAsJson } from '../lib/unit-json.ts';

type Props = { readonly to: string } | { readonly note: Gone };

export async function getStaticPaths() {
  const gallery = await readGallery();
  // Pages of changes have no record.
  const forwards = forwardsOf(gallery).filter(({ from }) => /^(?!changes\/).*\//.test(from));
  const units = (gallery?.gone ?? []).filter(({ unit }) => unit !== undefined);
  return [
    ...forwards.map(({ from, to }) => ({
      params: { place: from.split('/').length === 3 ? from : `${from}/index` },
      props: { to },
    })),
    ...units.map((note) => ({ params: { place: placeOf(note) }, props: { note } })),
  ];
}

export const GET: APIRoute<Props> = async ({ props, site }) => {
  const gallery = await readGallery();
  if ('note' in props || gallery === undefined) return Response.json(whatIsLeft(props, site));
  const { model, layer: summary } = layerAt(gallery, props.to);
  const layer = await readLayer(model.slug, summary);
  const [, , number] = props.to.split('/');
  if (number === undefined) return Response.json(layerAsJson(layer, site));
  const place = layer.units.findIndex(({ unit }) => unit === Number(number));
  const [unit, previous, next] = [place, place - 1, place + 1].map((at) => layer.units[at]);
  if (unit === undefined) throw new Error(`Expected ${props.to} in the gallery. Publish again.`);
  return Response.json(unitAsJson({ model, layer, unit, previous, next }, site));
};

function whatIsLeft(props: Props, site: URL | undefined): object {
  if (!('note' in props)) return {};
  const { model, layer, unit = 0, until, why, picture } = props.note;
  const url = absolute(address.picture(model.slug, layer?.slug ?? '', unit), site);
  return {
    model,
    layer,
    unit,
    gone: { until, why },
    ...(picture === undefined ? {} : { image: { url, width: picture.widthPx, height: picture.heightPx } }),
  };
}
