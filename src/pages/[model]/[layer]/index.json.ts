import type { APIRoute, InferGetStaticPropsType } from 'astro';
import { readLayer } from '../../../lib/gallery.ts';
import { layerAsJson } from '../../../lib/index-json.ts';
import { layerRoutes } from '../../../lib/routes.ts';

export const getStaticPaths = () => layerRoutes();

export const GET: APIRoute<InferGetStaticPropsType<typeof getStaticPaths>> = async ({ props, site }) =>
  Response.json(layerAsJson(await readLayer(props.model.slug, props.layer), site));
