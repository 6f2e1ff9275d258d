/**
 * What every engine must do alike: operations, their gradients and whole ascents, each as a case that an engine answers
 * with how far it misses, as a share of what it may miss. Above 1 it is wrong. Pictures are small: engines are slow in tests.
 */

import { type Ascent, ascender } from '../../pipeline/ascent/ascend.ts';
import { compileOctaves } from '../../pipeline/ascent/octaves.ts';
import type { AscentSpec } from '../../pipeline/ascent/step.ts';
import type { Engine, Value } from '../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { adjoint } from '../../pipeline/network/adjoint/adjoint.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import type { Float32Tensor, Graph, Tensor } from '../../pipeline/network/graph.ts';
import type { Layer } from '../../pipeline/network/network.ts';
import { shapesOf } from '../../pipeline/network/shapes.ts';
import { frameSteps } from '../../pipeline/recipe/frames.ts';
import { presets } from '../../pipeline/recipe/presets.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import type { Recipe } from '../../pipeline/recipe/schema.ts';
import { counting } from '../ascent/counting.ts';
import { climb, flipOf, folder, load, own, rows } from '../ascent/published.ts';
import { tinyNetwork } from '../ascent/tiny.ts';
import { caseNames, readCase } from '../fixtures.ts';
import { tensorFile } from '../formats/cases.ts';

export interface ContractCase {
  readonly name: string;
  /** Takes a minute where the device is a program; run when it is asked for by name. */
  readonly slow?: true;
  /** The largest miss over the largest that is allowed. @throws where the engine cannot run the case. */
  run(engine: Engine): Promise<number>;
}

export const contract: readonly ContractCase[] = [
  { name: 'values stay with the engine between frames', run: strayValues },
  ...(['ops', 'nets'] as const).flatMap((group) =>
    caseNames(group).map((name) => ({
      name: `${group}/${name}`,
      run: (engine: Engine) => operationMiss(group, name, engine),
    })),
  ),
  ...rows.map(({ group, layer }) => ({
    name: `truth of ${group}/${layer} after one update`,
    // Pictures of VGG16 are 64 px here.
    ...(group.startsWith('mnist') ? {} : { slow: true as const }),
    run: (engine: Engine) => truthMiss(group, layer, engine),
  })),
  ...rows.map(({ group, layer }) => ({
    name: `published ${group}/${layer} as on the CPU`,
    ...(group.endsWith('-deep') ? { slow: true as const } : {}),
    run: (engine: Engine) => publishedMiss(group, layer, engine),
  })),
  ...Object.keys(presets).flatMap((preset) =>
    [1, 3].map((channels) => ({
      name: `preset ${preset} with ${channels} channels as on the CPU`,
      run: (engine: Engine) => presetMiss(preset, channels, engine),
    })),
  ),
];

/** Values and gradients of an operation or a small network, over the fixture's own bounds. */
async function operationMiss(group: 'ops' | 'nets', name: string, engine: Engine): Promise<number> {
  const { graph, inputs, outputs, sets } = readCase(group, name);
  const shapes = await shapesOf(graph, cpuEngine(), inputs);
  const dims = (value: string): readonly number[] => shapes.get(value)?.dims ?? [];
  const misses: number[] = [];
  for (const { cotangents, gradients, outputMaxAbs, gradientMaxAbs } of sets) {
    const forward = new GraphBuilder(graph);
    const objective = new Map(
      [...cotangents].map(([value]) => [value, forward.input(`cotangent of ${value}`, dims(value))]),
    );
    const wrt = [...gradients.keys()];
    const { build, gradients: names } = adjoint(forward.graph(graph.outputs), {
      objective,
      wrt,
      dims,
      lowering: engine.lowering,
    });
    const made = [...names.values()].filter((value) => value !== undefined);
    const fed = [...cotangents].map(([value, tensor]) => [`cotangent of ${value}`, tensor] as const);
    const whole = build.graph([...new Set([...graph.outputs, ...made])]);
    const values = await evaluate(whole, new Map([...inputs, ...fed]), engine);
    for (const [value, truth] of outputs) misses.push(miss(values.get(value), truth) / outputMaxAbs);
    for (const [value, truth] of gradients) {
      misses.push(miss(values.get(names.get(value) ?? ''), truth) / gradientMaxAbs);
    }
  }
  return largest(misses);
}

async function evaluate(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  engine: Engine,
): Promise<Map<string, Tensor>> {
  const program = await engine.compile(graph);
  const fed = new Map([...feeds].map(([name, tensor]): [string, Value] => [name, engine.upload(tensor)]));
  const values = await program.run(fed);
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of values) tensors.set(name, await engine.download(value));
  engine.free([...fed.values(), ...values.values()]);
  await program.release();
  return tensors;
}

/** A stored picture or two after one update, and the stored objectives before and after it, over the stored bounds. */
async function truthMiss(group: string, layer: string, engine: Engine): Promise<number> {
  const { wanted, start, truth, spec, scale } = await load(group, layer);
  const units = wanted.units.slice(0, group.startsWith('mnist') ? 2 : 1);
  const octaves = await compileOctaves({ ...spec, batch: units.length }, engine);
  const { pictures, curve } = await climb({ recipe: spec.recipe, octaves }, engine, start, units, 1, scale);
  for (const octave of octaves) await octave.release();
  const stored = tensorFile(`${folder}/${group}/${layer}/step_0001.pb`);
  const got = pictures[1] as Float32Tensor;
  const { max_abs: bounds, objective_relative_at_step: relative } = wanted.tolerance;
  const least = 1e-6 * largest(truth.data);
  const misses = units.flatMap((unit, index) => [
    largest(differences(own(got, index), own(stored, index))) /
      (flipOf(group, layer, unit, 1).max_abs ?? (bounds[1]?.[index] as number)),
    ...[0, 1].map((step) => {
      const value = truth.data[step * wanted.units.length + index] as number;
      const difference = Math.abs((curve[step]?.[index] as number) - value);
      return (
        difference /
        Math.max(Math.abs(value), least) /
        (flipOf(group, layer, unit, step).objective ?? (relative[step] as number))
      );
    }),
  ]);
  return largest(misses);
}

/** A published recipe on a small picture, by a few updates of which the first has all filters. */
async function publishedMiss(group: string, layer: string, engine: Engine): Promise<number> {
  const { spec, wanted } = await load(group, layer);
  const side = spec.network.input.height ?? (group.endsWith('-deep') ? 32 : 16);
  const recipe = { ...spec.recipe, steps: updates(spec.recipe) };
  const size = { ...spec.size, height: side, width: side };
  return ascentMiss({ ...spec, recipe, size, batch: 1 }, wanted.units.slice(0, 1), engine);
}

/** How many runs of an ascent had a download though no frame was due, and how many of their values left the device. */
async function strayValues(engine: Engine): Promise<number> {
  const network = tinyNetwork(1);
  let [onHost, made] = [0, 0];
  const { engine: counted, counts } = counting(engine, (value) => {
    made++;
    const { tensor } = value as unknown as { tensor?: { location?: string } };
    if (engine.name === 'webgpu' && tensor?.location !== 'gpu-buffer') onHost++;
  });
  const spec: AscentSpec = {
    network,
    layer: network.layers[1] as Layer,
    recipe: resolveRecipe({ preset: 'phosphene', steps: 12 }, 'contract'),
    scaling: resolveScaling('0..1', 1),
    size: { channels: 1, height: 12, width: 12 },
    batch: 2,
  };
  await ascentsOf(spec, [0, 1, 2, 3], counted);
  const due = frameSteps(12).flatMap((step) => [step, 13 + step]);
  const undue = counts.runsWithDownloads.filter((run) => !due.includes(run));
  return made === 0 ? Number.NaN : (undue.length + onHost + counts.live) * 2;
}

/** A recipe of ours on two units of a tiny network. */
async function presetMiss(preset: string, channels: number, engine: Engine): Promise<number> {
  const network = tinyNetwork(channels);
  const given = resolveRecipe(preset, 'contract');
  const name = given.octaves === undefined ? 'd' : 'a';
  const spec: AscentSpec = {
    network,
    layer: network.layers.find((layer) => layer.name === name) as Layer,
    recipe: { ...given, steps: updates(given) },
    scaling: resolveScaling('0..1', channels),
    size: { channels, height: 12, width: 12 },
    batch: 2,
  };
  return ascentMiss(spec, [0, 1], engine);
}

/** One in each octave, or two. */
const updates = ({ octaves }: Recipe): number => octaves?.count ?? 2;

/**
 * How far an ascent goes another way than on the CPU: the root of the mean square of what differs, as a share of that of
 * the values, over 5e-3. Where a gradient is 0 but for its rounding, as that of the phosphene's structure is at first,
 * Adam takes its sign: such a value goes elsewhere. All else misses by less than 1e-6.
 */
async function ascentMiss(spec: AscentSpec, units: readonly number[], engine: Engine): Promise<number> {
  const got = await ascentsOf(spec, units, engine);
  const expected = await ascentsOf(spec, units, cpuEngine());
  const misses = expected.flatMap(({ unit, curve, frames }) => {
    const other = got.find((one) => one.unit === unit);
    return [
      share(differences(other?.curve, curve), curve),
      ...frames.map(({ picture: { data } }, index) =>
        share(differences(other?.frames[index]?.picture.data, data), data),
      ),
    ];
  });
  return largest(misses) / 5e-3;
}

/** By their roots of mean squares; a silent unit's curve is 0 throughout. */
const share = (differences: readonly number[], values: ArrayLike<number>): number =>
  Math.hypot(...differences) / Math.max(Math.hypot(...Array.from(values)), 1e-12);

async function ascentsOf(spec: AscentSpec, units: readonly number[], engine: Engine): Promise<Ascent[]> {
  const climber = await ascender(spec, engine);
  const ascents = await Array.fromAsync(climber.run(units, { seed: 7, attempt: 0 }));
  await climber.release();
  return ascents;
}

/** The largest absolute difference; NaN where the sizes differ or a number is none. */
function miss(got: Tensor | undefined, truth: Float32Tensor): number {
  if (got?.dims.join() !== truth.dims.join()) return Number.NaN;
  return largest(differences(Array.from<number | bigint>(got.data).map(Number), truth.data));
}

/** What differs, place by place; NaN where the first list has no number. */
function differences(got: ArrayLike<number> | undefined, expected: ArrayLike<number>): number[] {
  return Array.from(expected, (value, at) => (got?.[at] ?? Number.NaN) - value);
}

function largest(values: Iterable<number>): number {
  let result = 0;
  for (const value of values) result = Math.max(result, Math.abs(value));
  return result;
}
