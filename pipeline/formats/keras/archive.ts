/** The `.keras` archive of Keras 3: `config.json` for the structure, `model.weights.h5` for the weights. */

import { PhospheneError } from '../../error.ts';
import type { Float32Tensor } from '../../network/graph.ts';
import type { ModelFile } from '../file.ts';
import { type Hdf5, readHdf5 } from '../hdf5.ts';
import { parseJson } from '../json.ts';
import { unzip } from '../zip.ts';
import { describeModel, type ModelDescription } from './description.ts';
import type { KerasModel } from './network.ts';
import type { WeightSource } from './weights.ts';

const configEntry = 'config.json';
const metadataEntry = 'metadata.json';
const weightsEntry = 'model.weights.h5';

/** Reads a `.keras` archive. @throws PhospheneError if it is damaged or holds no model that can be shown. */
export async function readKerasArchive({ name: file, bytes }: ModelFile): Promise<KerasModel> {
  const entries = unzip(file, bytes, [configEntry, metadataEntry, weightsEntry]);
  const config = entries.get(configEntry);
  const weights = entries.get(weightsEntry);
  if (config === undefined || weights === undefined) {
    const lacking = config === undefined ? configEntry : weightsEntry;
    throw new PhospheneError(
      `Expected '${file}' to be a Keras archive, but it is a zip without '${lacking}': save the model with model.save('name.keras').`,
    );
  }
  const metadata = entries.get(metadataEntry);
  const stated = metadata === undefined ? '3' : parseJson(file, metadataEntry, metadata)['keras_version'];
  const version = Number.parseInt(String(stated), 10) || 3;
  const model = describeModel(file, parseJson(file, configEntry, config), version);
  return {
    file,
    format: 'keras-zip',
    version,
    model,
    weights: archiveWeights(await readHdf5(file, weights), model),
  };
}

/**
 * Weights lie under `layers/<class>_<n>/vars/<i>`, where n counts the layers of one class in the model's order. Later
 * versions also write the layer's name beside them, which is more certain.
 */
function archiveWeights(h5: Hdf5, model: ModelDescription): WeightSource {
  const folders = new Map<string, string>();
  const visit = (part: ModelDescription, path: readonly string[], root: string): void => {
    const container = ['layers', '_layer_checkpoint_dependencies']
      .map((name) => join(root, name))
      .find((name) => h5.attributes.has(name));
    if (container === undefined) return;
    const named = namedFolders(h5, container);
    const counts = new Map<string, number>();
    for (const layer of part.layers) {
      const plain = snakeCase(layer.className);
      const count = counts.get(plain) ?? 0;
      counts.set(plain, count + 1);
      const folder = named.get(layer.name) ?? join(container, count === 0 ? plain : `${plain}_${count}`);
      folders.set([...path, layer.name].join('\0'), folder);
      if (layer.model !== undefined) visit(layer.model, [...path, layer.name], folder);
    }
  };
  visit(model, [], '');
  return ({ path, name }) => {
    const folder = folders.get([...path, name].join('\0'));
    return folder === undefined ? undefined : variables(h5, join(folder, 'vars'));
  };
}

/** Folders of a container by the layer's name that is written into them. */
function namedFolders(h5: Hdf5, container: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [path, attributes] of h5.attributes) {
    if (!path.startsWith(`${container}/`) || !path.endsWith('/vars')) continue;
    const folder = path.slice(0, -'/vars'.length);
    const name = attributes['name'];
    if (typeof name === 'string' && !folder.slice(container.length + 1).includes('/'))
      found.set(name, folder);
  }
  return found;
}

/** The numbered tensors of a folder, in the order of their numbers. */
function variables(h5: Hdf5, folder: string): Float32Tensor[] {
  const found: Float32Tensor[] = [];
  for (let index = 0; ; index++) {
    const tensor = h5.datasets.get(join(folder, String(index)));
    if (tensor === undefined) return found;
    found.push(tensor);
  }
}

const join = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/');

/** As Keras makes names of class names (naming.to_snake_case). */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
