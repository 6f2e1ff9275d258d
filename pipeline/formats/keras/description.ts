/**
 * What a Keras model is, whichever version wrote it: layers with Keras 3 settings, and for each call of a layer the
 * tensors it takes. Sequential models are described as the chain that they are.
 */

import { PhospheneError } from '../../error.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { modernised } from './keras1.ts';

/** Output `tensor` of call `node` of a layer. */
export interface TensorReference {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** One call of a layer. */
export interface Call {
  /** The tensors that it takes, in order; an input layer takes none. */
  readonly inputs: readonly TensorReference[];
  /** Its arguments in order, where numbers stand among the tensors (each null): [null, 3] is a tensor and 3. */
  readonly operands: readonly (number | null)[];
  /** Named arguments of the call. */
  readonly named: JsonObject;
}

export interface LayerDescription {
  readonly name: string;
  readonly className: string;
  /** Settings by their Keras 3 names. */
  readonly config: JsonObject;
  readonly calls: readonly Call[];
  /** A model that is used as a layer. */
  readonly model?: ModelDescription;
}

export interface ModelDescription {
  readonly name: string;
  readonly layers: readonly LayerDescription[];
  readonly inputs: readonly TensorReference[];
  readonly outputs: readonly TensorReference[];
}

const deepestNesting = 16;
const mostLayers = 20_000;

/**
 * Reads the model configuration that major version `version` of Keras wrote.
 * @throws PhospheneError if it describes no Sequential or Functional model.
 */
export function describeModel(file: string, json: JsonObject, version: number, depth = 0): ModelDescription {
  const className = json['class_name'];
  const damaged = (what: string): PhospheneError =>
    new PhospheneError(`Expected '${file}' to describe a Keras model, but ${what}.`);
  if (depth > deepestNesting) throw damaged(`its models are nested more than ${deepestNesting} deep`);
  const config = json['config'];
  const settings: JsonObject = isObject(config) ? config : {};
  const listed = Array.isArray(config) ? config : settings['layers'];
  if (!Array.isArray(listed)) {
    throw damaged(
      `its class ${quoted(className)} is neither Sequential nor Functional: save it as one of these, or export it to ONNX`,
    );
  }
  if (listed.length > mostLayers) throw damaged(`it lists more than ${mostLayers} layers`);
  const name = typeof settings['name'] === 'string' ? settings['name'] : 'model';

  const described = (listed as Json[]).map((layer, index) => {
    if (!isObject(layer) || typeof layer['class_name'] !== 'string') {
      throw damaged(`layer ${index} of '${name}' has no class name`);
    }
    const own = isObject(layer['config']) ? layer['config'] : {};
    const given = own['name'] ?? layer['name'];
    const layerName = typeof given === 'string' && given !== '' ? given : `layer_${index}`;
    const nested = isModel(layer) ? describeModel(file, layer, version, depth + 1) : undefined;
    const isOperation = typeof layer['module'] === 'string' && /^keras\.(src\.)?ops\b/.test(layer['module']);
    const modern = isOperation
      ? { className: `ops.${layer['class_name']}`, config: own }
      : modernised(layer['class_name'], own, version);
    return {
      json: layer,
      layer: {
        name: layerName,
        ...modern,
        ...(nested === undefined ? {} : { model: { ...nested, name: layerName } }),
      },
    };
  });
  const names = new Set(described.map(({ layer }) => layer.name));
  if (names.size !== described.length) throw damaged(`two layers of '${name}' have one name`);

  if (Array.isArray(config) || className === 'Sequential') {
    return chain(
      name,
      described.map(({ layer }) => layer),
      settings['build_input_shape'] ?? firstInputShape(described[0]?.json),
    );
  }
  const references = (value: Json | undefined): TensorReference[] => referencesIn(value, damaged);
  return fromFirstCall({
    name,
    layers: described.map(({ layer, json: source }) => {
      const nodes = source['inbound_nodes'];
      const calls = (Array.isArray(nodes) ? (nodes as Json[]) : []).map((node) => callOf(node, damaged));
      return { ...layer, calls: calls.length === 0 ? [callWith([])] : calls };
    }),
    inputs: references(settings['input_layers']),
    outputs: references(settings['output_layers']),
  });
}

/**
 * Keras 2 counts the calls of a nested model from 1, for making it was its first, which is not in the file: where a
 * reference goes beyond a nested model's calls, its references are moved down.
 */
function fromFirstCall(model: ModelDescription): ModelDescription {
  const { layers, inputs, outputs } = model;
  const most = new Map<string, number>();
  const all = [...inputs, ...outputs, ...layers.flatMap(({ calls }) => calls.flatMap((call) => call.inputs))];
  for (const { layer, node } of all) most.set(layer, Math.max(most.get(layer) ?? 0, node));
  const beyond = new Map(
    layers.flatMap((layer) =>
      layer.model === undefined
        ? []
        : [[layer.name, Math.max(0, (most.get(layer.name) ?? 0) - layer.calls.length + 1)] as const],
    ),
  );
  const moved = (reference: TensorReference): TensorReference => ({
    ...reference,
    node: reference.node - (beyond.get(reference.layer) ?? 0),
  });
  return {
    ...model,
    layers: layers.map((layer) => ({
      ...layer,
      calls: layer.calls.map((call) => ({ ...call, inputs: call.inputs.map(moved) })),
    })),
    inputs: inputs.map(moved),
    outputs: outputs.map(moved),
  };
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 80)}'` : 'of no name';
}

function isModel(layer: JsonObject): boolean {
  const config = layer['config'];
  if (layer['class_name'] === 'Sequential') return true;
  return isObject(config) && Array.isArray(config['layers']) && Array.isArray(config['output_layers']);
}

/** The shape that the first layer of a Sequential model was built for, batch first, wherever the version put it. */
function firstInputShape(first: JsonObject | undefined): Json | undefined {
  if (first === undefined) return undefined;
  const config = isObject(first['config']) ? first['config'] : {};
  const build = first['build_config'];
  if (isModel(first)) {
    const listed = Array.isArray(first['config']) ? first['config'] : config['layers'];
    const inner = Array.isArray(listed) ? (listed as Json[])[0] : undefined;
    return isObject(inner) ? firstInputShape(inner) : undefined;
  }
  return (
    config['batch_shape'] ??
    config['batch_input_shape'] ??
    (isObject(build) ? build['input_shape'] : undefined)
  );
}

type Uncalled = Omit<LayerDescription, 'calls'>;

function chain(name: string, layers: readonly Uncalled[], shape: Json | undefined): ModelDescription {
  const first = layers[0];
  const started: Uncalled[] =
    first?.className === 'InputLayer' || shape === undefined
      ? [...layers]
      : [{ name: freeName(layers), className: 'InputLayer', config: { batch_shape: shape } }, ...layers];
  const reference = (index: number): TensorReference[] => {
    const layer = started[index];
    return layer === undefined ? [] : [{ layer: layer.name, node: 0, tensor: 0 }];
  };
  return {
    name,
    layers: started.map((layer, index) => ({ ...layer, calls: [callWith(reference(index - 1))] })),
    inputs: reference(0),
    outputs: reference(started.length - 1),
  };
}

function freeName(layers: readonly Uncalled[]): string {
  let name = 'input';
  while (layers.some((layer) => layer.name === name)) name += '_';
  return name;
}

/** A call that takes tensors alone. */
export const callWith = (inputs: readonly TensorReference[]): Call => ({
  inputs,
  operands: inputs.map(() => null),
  named: {},
});

/** A constant among the inputs, as Keras 2 writes it: ["_CONSTANT_VALUE", -1, 2.5, {…}]. */
const constantMark = '_CONSTANT_VALUE';

/** A call as Keras 1 and 2 ([["layer", node, tensor, {…}], …]) or Keras 3 ({args: […], kwargs: {…}}) write it. */
function callOf(node: Json, damaged: (what: string) => PhospheneError): Call {
  const isModern = isObject(node);
  const args = isModern ? node['args'] : node;
  const list = Array.isArray(args) ? (args as Json[]) : [];
  // A TensorFlow function that is called on one tensor stands there without the list around it.
  const positional = typeof list[0] === 'string' ? [list] : list;
  const named: Record<string, Json> = isModern && isObject(node['kwargs']) ? { ...node['kwargs'] } : {};
  const operands: (number | null)[] = [];
  const inputs: TensorReference[] = [];
  const take = (value: Json): void => {
    if (typeof value === 'number') operands.push(value);
    const found = referencesIn(value, damaged);
    inputs.push(...found);
    operands.push(...found.map(() => null));
  };
  for (const value of positional) {
    if (isModern) take(value);
    else if (Array.isArray(value)) {
      const [layer, , constant, more] = value as Json[];
      if (isObject(more)) Object.assign(named, more);
      take(layer === constantMark ? (constant ?? null) : (value as Json[]).slice(0, 3));
    }
  }
  for (const value of Object.values(named)) take(value);
  return { inputs, operands, named };
}

/**
 * All tensor references in a value, in order: Keras 1 and 2 write ["layer", node, tensor, {…}], Keras 3 writes
 * {"class_name": "__keras_tensor__", "config": {"keras_history": ["layer", node, tensor]}}.
 */
function referencesIn(value: Json | undefined, damaged: (what: string) => PhospheneError): TensorReference[] {
  const found: TensorReference[] = [];
  const visit = (part: Json | undefined, depth: number): void => {
    if (depth > deepestNesting) throw damaged('the inputs of a layer are nested too deep');
    if (Array.isArray(part)) {
      const [layer, node, tensor] = part as Json[];
      if (typeof layer === 'string' && Number.isInteger(node) && Number.isInteger(tensor)) {
        found.push({ layer, node: node as number, tensor: tensor as number });
      } else for (const item of part as Json[]) visit(item, depth + 1);
    } else if (isObject(part)) {
      if (part['class_name'] === '__keras_tensor__') {
        const config = part['config'];
        visit(isObject(config) ? config['keras_history'] : null, depth + 1);
      } else for (const item of Object.values(part)) visit(item, depth + 1);
    }
  };
  visit(value, 0);
  return found;
}
