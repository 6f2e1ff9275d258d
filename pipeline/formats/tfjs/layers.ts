/** TensorFlow.js layers models: a Keras model as JSON, its weights in shards. */

import { PhospheneError } from '../../error.ts';
import type { ModelFile } from '../file.ts';
import { isObject, type JsonObject } from '../json.ts';
import { describeModel } from '../keras/description.ts';
import type { KerasModel } from '../keras/network.ts';
import { layerOfWeight } from '../keras/weights.ts';
import { readManifest } from './manifest.ts';

/** The Keras configuration in a layers model's JSON, or undefined if it is none. */
export function layersConfig(model: JsonObject): JsonObject | undefined {
  const topology = model['modelTopology'];
  const holder = isObject(topology) ? topology : model;
  const config = holder['model_config'] ?? holder;
  return isObject(config) && config['class_name'] !== undefined ? config : undefined;
}

/**
 * Reads a layers model and its weights.
 * @throws PhospheneError if it describes no model that can be shown, or a weight file is missing or too short.
 */
export async function readTfjsLayers(file: ModelFile, json: JsonObject): Promise<KerasModel> {
  const config = layersConfig(json);
  if (config === undefined) throw new PhospheneError(`Expected '${file.name}' to describe a layers model.`);
  const topology = isObject(json['modelTopology']) ? json['modelTopology'] : json;
  const version =
    Number.parseInt(String(topology['keras_version'] ?? '2').replace(/^tfjs-layers /, ''), 10) || 2;
  const model = describeModel(file.name, config, version);
  const tensors = [...(await readManifest(file, json))];
  return {
    file: file.name,
    format: 'tfjs-layers',
    version,
    model,
    weights: ({ path, name }) =>
      tensors.filter(([weight]) => layerOfWeight(weight, [...path, name])).map(([, tensor]) => tensor),
  };
}
