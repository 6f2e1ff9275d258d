import type { APIRoute, InferGetStaticPropsType } from 'astro';
import { address } from '../../lib/address.ts';
import { shownUnits } from '../../lib/index-json.ts';
import { modelRoutes } from '../../lib/routes.ts';
import { sitemap } from '../../lib/sitemap.ts';

export const getStaticPaths = () => modelRoutes();

export const GET: APIRoute<InferGetStaticPropsType<typeof getStaticPaths>> = ({ props, site }) => {
  const { slug, layers } = props.model;
  const units = layers.flatMap((layer) => [
    address.layer(slug, layer.slug),
    ...shownUnits(layer).flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, place) => address.unit(slug, layer.slug, first + place)),
    ),
  ]);
  return sitemap([address.model(slug), ...units], site);
};
