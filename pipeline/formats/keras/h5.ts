/** Keras HDF5 files: whole models of Keras 1, 2 and 3, and files that hold nothing but the weights of a known network. */

import { PhospheneError } from '../../error.ts';
import type { Float32Tensor } from '../../network/graph.ts';
import type { ModelFile } from '../file.ts';
import { type Attributes, type Hdf5, readHdf5 } from '../hdf5.ts';
import { parseJson } from '../json.ts';
import { architectures, knownArchitecture } from './architectures.ts';
import { describeModel } from './description.ts';
import type { KerasModel } from './network.ts';
import { type LayerAddress, layerOfWeight, type WeightSource } from './weights.ts';

/**
 * Reads a Keras HDF5 file.
 * @throws PhospheneError if it is damaged, or holds neither a model nor the weights of a known network.
 */
export async function readKerasH5({ name: file, bytes }: ModelFile): Promise<KerasModel> {
  const h5 = await readHdf5(file, bytes);
  const root = h5.attributes.get('') ?? {};
  const version = Number.parseInt(text(root['keras_version']) ?? '1', 10) || 1;
  const config = text(root['model_config']);
  if (config !== undefined) {
    const model = describeModel(file, parseJson(file, 'the model configuration', config), version);
    return { file, format: 'keras-h5', version, model, weights: groupWeights(h5, 'model_weights') };
  }
  const top = h5.attributes.has('model_weights') ? 'model_weights' : '';
  const weights = groupWeights(h5, top);
  const layers = list(h5.attributes.get(top) ?? {}, 'layer_names');
  const found = knownArchitecture(
    layers.flatMap((name) => {
      const tensors = weights({ path: [], name, className: '' });
      return tensors === undefined || tensors.length === 0 ? [] : [{ name, tensors }];
    }),
  );
  if (found === undefined) {
    throw new PhospheneError(
      `Expected '${file}' to hold a Keras model, but it holds weights alone, and not those of ${architectures.join(', ')}: save the whole model with model.save('name.keras').`,
    );
  }
  return { file, format: 'keras-h5', version: Math.max(version, 2), model: found, weights };
}

/** One group a layer; its attribute `weight_names` lists the datasets in Keras' order. */
function groupWeights(h5: Hdf5, root: string): WeightSource {
  const join = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/');
  const named = (group: string): { name: string; tensor: Float32Tensor }[] =>
    list(h5.attributes.get(join(root, group)) ?? {}, 'weight_names').flatMap((name) => {
      const tensor = h5.datasets.get(join(root, group, name));
      return tensor === undefined ? [] : [{ name, tensor }];
    });
  return ({ path, name }: LayerAddress) => {
    const [outer] = path;
    if (outer === undefined) return named(name).map(({ tensor }) => tensor);
    // A nested model's group lists the weights of all its layers.
    const inside = [...path.slice(1), name];
    return named(outer)
      .filter((weight) => layerOfWeight(weight.name, inside))
      .map(({ tensor }) => tensor);
  };
}

function text(attribute: string | readonly string[] | undefined): string | undefined {
  return typeof attribute === 'string' ? attribute : attribute?.join('');
}

/** A list of names; Keras cuts one that is too long for HDF5 into `<key>0`, `<key>1` and so on. */
function list(attributes: Attributes, key: string): readonly string[] {
  const whole = attributes[key];
  if (whole !== undefined) return typeof whole === 'string' ? [whole] : whole;
  const parts: string[] = [];
  for (let index = 0; ; index++) {
    const part = attributes[`${key}${index}`];
    if (part === undefined) return parts;
    parts.push(...(typeof part === 'string' ? [part] : part));
  }
}
