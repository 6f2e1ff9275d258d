/** A described Keras model with its weights, as a network: every call of every layer is written in order of the data. */

import { PhospheneError } from '../../error.ts';
import { suggestion } from '../../nearest.ts';
import { GraphBuilder } from '../../network/build.ts';
import type { Float32Tensor } from '../../network/graph.ts';
import { findLayers, type UnitValue } from '../../network/layers.ts';
import type { Format, Network, NetworkInput } from '../../network/network.ts';
import { activate, activationName } from './activations.ts';
import {
  type Call,
  callWith,
  type LayerDescription,
  type ModelDescription,
  type TensorReference,
} from './description.ts';
import { lambda } from './layers/lambda.ts';
import type { LayerCall, LayerRow } from './layers/layer.ts';
import { LayerProblem, Settings } from './settings.ts';
import { layerTable } from './table.ts';
import { fromPicture, graphAxis, type KerasTensor, type Size } from './tensor.ts';
import type { WeightSource } from './weights.ts';

export interface KerasModel {
  readonly file: string;
  readonly format: Format;
  /** Major version of Keras that wrote the file. */
  readonly version: number;
  readonly model: ModelDescription;
  readonly weights: WeightSource;
}

export interface KerasOptions {
  /** What Lambda layers compute: expressions of x by layer name. */
  readonly lambdas?: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes the graph of a Keras model. What cannot be written, and what comes after it, is listed as gaps.
 * @throws PhospheneError if the model does not take exactly one picture, or nothing of it can be written; with exit
 *   code 2 for an expression that is for none of its Lambda layers.
 */
export function kerasNetwork(source: KerasModel, options: KerasOptions = {}): Network {
  return new Writer(source, options).network();
}

/** Nested models that are called again and again would never come to an end. */
const mostCalls = 50_000;

/** No picture is larger on either side, and none has more channels. */
const mostSide = 8192;

/** What a reference leads to: a tensor, or the layer that could not be written. */
type Produced = KerasTensor | { readonly missing: string };

class Writer {
  readonly #source: KerasModel;
  readonly #lambdas: ReadonlyMap<string, string>;
  readonly #build = new GraphBuilder();
  readonly #constants = new Map<string, string>();
  readonly #units: UnitValue[] = [];
  readonly #gaps: { layer: string; reason: string }[] = [];
  /** How often each layer name occurs, nested models included. */
  readonly #names = new Map<string, number>();
  readonly #taken = new Set<string>();
  #calls = 0;

  constructor(source: KerasModel, { lambdas = {} }: KerasOptions) {
    this.#source = source;
    this.#lambdas = new Map(Object.entries(lambdas));
    const count = (model: ModelDescription): void => {
      for (const layer of model.layers) {
        this.#names.set(layer.name, (this.#names.get(layer.name) ?? 0) + 1);
        if (layer.model !== undefined) count(layer.model);
      }
    };
    count(source.model);
  }

  network(): Network {
    const { model, format, file } = this.#source;
    this.#checkLambdas();
    const { input, tensor } = this.#input();
    const outputs = this.#model(model, [tensor], []);
    const written = outputs.flatMap((output) => ('missing' in output ? [] : [output.value]));
    if (written.length === 0) {
      const last = this.#build.nodes.at(-1)?.outputs[0];
      if (last === undefined) {
        const why = this.#gaps[0]?.reason ?? 'it has no layers.';
        throw new PhospheneError(
          `Expected a network in '${file}', but nothing of it can be computed: ${why}`,
        );
      }
      written.push(last);
    }
    const graph = this.#build.graph(written);
    return {
      format,
      graph,
      input,
      layers: findLayers(graph, this.#units, { complete: this.#gaps.length === 0 }),
      gaps: this.#gaps,
    };
  }

  #checkLambdas(): void {
    if (this.#lambdas.size === 0) return;
    const { file, model } = this.#source;
    const titles = this.#lambdaTitles(model, []);
    for (const name of this.#lambdas.keys()) {
      if (titles.includes(name)) continue;
      const advice =
        titles.length === 0 ? '; it has none, leave the expression out' : suggestion(name, titles);
      throw new PhospheneError(
        `Expected the expression of a Lambda layer of '${file}', found one of '${name}'${advice}`,
        { exitCode: 2 },
      );
    }
  }

  #lambdaTitles({ layers }: ModelDescription, path: readonly string[]): string[] {
    return layers.flatMap(({ name, className, model }) => {
      if (model !== undefined) return this.#lambdaTitles(model, [...path, name]);
      return className === 'Lambda' ? [this.#title(name, path)] : [];
    });
  }

  #input(): { input: NetworkInput; tensor: KerasTensor } {
    const { model, file } = this.#source;
    const [reference] = model.inputs;
    if (reference === undefined || model.inputs.length !== 1) {
      throw new PhospheneError(
        `Expected '${file}' to take one picture, but it has ${model.inputs.length} inputs: only networks with one input can be shown.`,
      );
    }
    const layer = model.layers.find(({ name }) => name === reference.layer);
    const shape = inputShape(layer);
    if (shape === undefined || shape.length < 2 || shape.length > 3) {
      throw new PhospheneError(
        `Expected '${file}' to take a picture of height, width and channels, but its input '${reference.layer}' has the shape [${shape?.join(', ') ?? 'unknown'}].`,
      );
    }
    if (shape.some((dim) => dim !== null && (dim < 1 || dim > mostSide))) {
      throw new PhospheneError(
        `Expected '${file}' to take a picture of 1 to ${mostSide} pixels a side, but its input '${reference.layer}' has the shape [${shape.join(', ')}].`,
      );
    }
    const name = reference.layer;
    if (shape.length === 2) {
      const [height = null, width = null] = shape;
      const graphInput = this.#declare(name, 1, height, width);
      const value = this.#build.add('Squeeze', [graphInput, this.#build.shape([1])]);
      return {
        input: { name: graphInput, layout: 'NCHW', channels: 1, height, width },
        tensor: { value, shape, order: 'same' },
      };
    }
    const order = modelFormat(model);
    const [height = null, width = null, channels = null] =
      order === 'channels_last' ? shape : [shape[1], shape[2], shape[0]];
    if (channels === null) {
      throw new PhospheneError(
        `Expected '${file}' to state how many channels its input has, but it leaves them free.`,
      );
    }
    const value = this.#declare(name, channels, height, width);
    return {
      input: { name: value, layout: 'NCHW', channels, height, width },
      tensor: fromPicture({ value, channels, height, width }, order),
    };
  }

  #declare(name: string, channels: number, height: Size, width: Size): string {
    return this.#build.input(name, ['N', channels, height ?? 'H', width ?? 'W']);
  }

  /** Writes a model whose inputs are given, and returns its outputs. */
  #model(model: ModelDescription, inputs: readonly Produced[], path: readonly string[]): Produced[] {
    const produced = new Map<string, Produced>();
    model.inputs.forEach((reference, index) => {
      const input = inputs[index];
      if (input !== undefined) produced.set(key(reference), input);
    });
    for (const { layer, node } of inOrder(model)) {
      const call = layer.calls[node] ?? callWith([]);
      const references = call.inputs;
      if (references.length === 0 && produced.has(key({ layer: layer.name, node, tensor: 0 }))) continue;
      const given = references.map(
        (reference) => produced.get(key(reference)) ?? { missing: reference.layer },
      );
      this.#call(layer, call, given, path).forEach((output, tensor) => {
        produced.set(key({ layer: layer.name, node, tensor }), output);
      });
    }
    return model.outputs.map((reference) => produced.get(key(reference)) ?? { missing: reference.layer });
  }

  #call(
    layer: LayerDescription,
    call: Call,
    given: readonly Produced[],
    path: readonly string[],
  ): Produced[] {
    if (++this.#calls > mostCalls) {
      throw new PhospheneError(
        `Expected '${this.#source.file}' to call layers at most ${mostCalls} times, found more: its models are nested too often.`,
      );
    }
    const missing = given.find((input) => 'missing' in input);
    const title = this.#title(layer.name, path);
    if (layer.model !== undefined && missing === undefined) {
      return this.#model(layer.model, given, [...path, layer.name]);
    }
    if (missing !== undefined) {
      this.#gapsOf(layer, path, `it comes after '${missing.missing}', which cannot be computed.`);
      return [missing];
    }
    // An input layer inside a chain: what flows in is what flows out.
    const [first] = given;
    if (layer.className === 'InputLayer' && first !== undefined) return [first];
    try {
      return [this.#write(layer, call, given as KerasTensor[], path, title)];
    } catch (problem) {
      if (!(problem instanceof LayerProblem)) throw problem;
      this.#gaps.push({
        layer: title,
        reason: `Layer '${title}' of class ${layer.className} cannot be computed: ${problem.message}.`,
      });
      return [{ missing: title }];
    }
  }

  /** Lists what has units and cannot be reached. */
  #gapsOf(layer: LayerDescription, path: readonly string[], reason: string): void {
    if (layer.model !== undefined) {
      for (const inner of layer.model.layers) this.#gapsOf(inner, [...path, layer.name], reason);
      return;
    }
    const kind = Object.hasOwn(layerTable, layer.className) ? layerTable[layer.className]?.kind : undefined;
    if (kind === undefined || kind === 'other') return;
    const title = this.#title(layer.name, path);
    this.#gaps.push({ layer: title, reason: `Layer '${title}' cannot be computed: ${reason}` });
  }

  /** A layer's own name where it is the only one, else with the models that it lies in. */
  #title(name: string, path: readonly string[]): string {
    return this.#names.get(name) === 1 ? name : [...path, name].join('/');
  }

  #write(
    layer: LayerDescription,
    { operands, named }: Call,
    inputs: readonly KerasTensor[],
    path: readonly string[],
    title: string,
  ): KerasTensor {
    const row = this.#row(layer.className, title);
    const settings = new Settings({ ...named, ...layer.config });
    const build = this.#build;
    const activation = row.kind === 'other' ? 'linear' : activationName(layer.config['activation']);
    const call: LayerCall = {
      name: activation === 'linear' ? title : `${title}/linear`,
      settings,
      inputs,
      operands,
      version: this.#source.version,
      build,
      weights: (count) => {
        const address = { path, name: layer.name, className: layer.className };
        const found = this.#source.weights(address) ?? [];
        if (found.length !== count) {
          throw new LayerProblem(
            `it needs ${count} weight tensors, but the file holds ${found.length} for it`,
          );
        }
        return found;
      },
      constant: (role, make) => this.#constant([...path, layer.name].join('/'), title, role, make),
    };
    const linear = bounded(row.write(call));
    if (row.kind === 'other') return linear;
    const axis = graphAxis(linear, -1);
    const units = linear.shape.at(linear.order === 'same' && row.kind === 'conv' ? 0 : -1);
    if (units !== undefined && units !== null) {
      const unitAxis = row.kind === 'conv' ? 1 : linear.shape.length;
      this.#units.push({ name: this.#unitName(title), kind: row.kind, units, value: linear.value, unitAxis });
    }
    return { ...linear, value: activate(build, activation, linear.value, axis, title) };
  }

  /** A layer that is called again counts its calls. */
  #unitName(title: string): string {
    let name = title;
    for (let call = 2; this.#taken.has(name); call++) name = `${title}_${call}`;
    this.#taken.add(name);
    return name;
  }

  #row(className: string, title: string): LayerRow {
    const row = Object.hasOwn(layerTable, className) ? layerTable[className] : undefined;
    if (row !== undefined) return row;
    if (className !== 'Lambda') throw new LayerProblem('this class is not known');
    const expression = this.#lambdas.get(title);
    if (expression === undefined) {
      // Names come from the file: only a harmless one is put where people copy it into a shell.
      const name = /^[\w./-]+$/.test(title) ? title : 'NAME';
      throw new LayerProblem(
        `it holds Python code, which is not run; say what it computes, e.g. --lambda '${name}=x / 127.5 - 1', or in the content file "lambdas": {${JSON.stringify(title)}: "x / 127.5 - 1"}`,
      );
    }
    return { kind: 'other', write: lambda(expression) };
  }

  #constant(owner: string, title: string, role: string, make: () => Float32Tensor): string {
    const id = `${owner}\0${role}`;
    let name = this.#constants.get(id);
    if (name === undefined) {
      name = this.#build.constant(make(), `${title}/${role}`);
      this.#constants.set(id, name);
    }
    return name;
  }
}

/** No layer of an image network gives more: 2^27 numbers are 512 MiB. */
const mostNumbers = 2 ** 27;

function bounded(tensor: KerasTensor): KerasTensor {
  const numbers = tensor.shape.reduce<number>((product, dim) => product * (dim ?? 1), 1);
  if (numbers > mostNumbers) {
    throw new LayerProblem(
      `it would give ${numbers} numbers, and ${mostNumbers} are the most that are computed`,
    );
  }
  return tensor;
}

const key = ({ layer, node, tensor }: TensorReference): string => `${layer}\0${node}\0${tensor}`;

/** All calls of a model's layers, each after the calls that it takes tensors from, otherwise in the file's order. */
function inOrder(model: ModelDescription): { layer: LayerDescription; node: number }[] {
  const calls = model.layers.flatMap((layer) => layer.calls.map((_, node) => ({ layer, node })));
  const place = new Map(calls.map(({ layer, node }, index) => [`${layer.name}\0${node}`, index]));
  const waits = calls.map(() => 0);
  const followers = calls.map((): number[] => []);
  calls.forEach(({ layer, node }, index) => {
    for (const reference of layer.calls[node]?.inputs ?? []) {
      const before = place.get(`${reference.layer}\0${reference.node}`);
      if (before === undefined) continue;
      waits[index] = (waits[index] ?? 0) + 1;
      followers[before]?.push(index);
    }
  });
  const ready = calls.flatMap((_, index) => (waits[index] === 0 ? [index] : []));
  const order: { layer: LayerDescription; node: number }[] = [];
  for (let at = 0; at < ready.length; at++) {
    const index = ready[at] as number;
    order.push(calls[index] as { layer: LayerDescription; node: number });
    for (const follower of followers[index] ?? []) {
      waits[follower] = (waits[follower] ?? 0) - 1;
      if (waits[follower] === 0) ready.push(follower);
    }
  }
  return order;
}

/** The shape of a picture that an input layer takes, without the batch. */
function inputShape(layer: LayerDescription | undefined): readonly Size[] | undefined {
  if (layer?.model !== undefined) {
    const inner = layer.model.inputs[0]?.layer;
    return inputShape(layer.model.layers.find(({ name }) => name === inner));
  }
  if (layer === undefined || !Array.isArray(layer.config['batch_shape'])) return undefined;
  try {
    return new Settings(layer.config).shape('batch_shape').slice(1);
  } catch (problem) {
    if (problem instanceof LayerProblem) return undefined;
    throw problem;
  }
}

/** The order of axes that the model's layers were built for: that of the first layer that states one. */
function modelFormat(model: ModelDescription): 'channels_first' | 'channels_last' {
  const formats = (part: ModelDescription): string[] =>
    part.layers.flatMap((layer) =>
      layer.model !== undefined
        ? formats(layer.model)
        : typeof layer.config['data_format'] === 'string' && layer.className !== 'Flatten'
          ? [layer.config['data_format']]
          : [],
    );
  return formats(model)[0] === 'channels_first' ? 'channels_first' : 'channels_last';
}
