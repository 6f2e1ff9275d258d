/** Which pages there are, and what each is made of. */

import { kept } from 'virtual:kept-layers';
import type { GalleryModel } from '../../content/schema.ts';
import { type LayerView, readGallery, readLayer, type UnitView } from './gallery.ts';

const made = new Set(kept);

interface Route<Params, Props> {
  params: Params;
  props: Props;
}

/** Releases are models with addresses of their own. */
export async function modelRoutes(): Promise<Route<{ model: string }, { model: GalleryModel }>[]> {
  const gallery = await readGallery();
  const models = [...(gallery?.models ?? []), ...(gallery?.releases ?? [])];
  return models.map((model) => ({ params: { model: model.slug }, props: { model } }));
}

/** Without the layers whose pages an earlier build made. */
export async function layerRoutes(): Promise<Route<{ model: string; layer: string }, LayerView>[]> {
  const models = await modelRoutes();
  return models.flatMap(({ props: { model } }) =>
    model.layers
      .map((layer, place) => ({
        params: { model: model.slug, layer: layer.slug },
        props: { model, layer, previous: model.layers[place - 1], next: model.layers[place + 1] },
      }))
      .filter(({ params }) => !made.has(`${params.model}/${params.layer}`)),
  );
}

/** Likewise. */
export async function unitRoutes(): Promise<
  Route<{ model: string; layer: string; unit: string }, UnitView>[]
> {
  const layers = await layerRoutes();
  const routes = layers.map(async ({ params, props: { model, layer: summary } }) => {
    const layer = await readLayer(params.model, summary);
    return layer.units.map((unit, place) => ({
      params: { ...params, unit: String(unit.unit) },
      props: { model, layer, unit, previous: layer.units[place - 1], next: layer.units[place + 1] },
    }));
  });
  return (await Promise.all(routes)).flat();
}
