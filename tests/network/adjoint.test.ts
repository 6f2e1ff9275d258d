import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { adjoint } from '../../pipeline/network/adjoint/adjoint.ts';
import type { Lowering } from '../../pipeline/network/adjoint/rule.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import {
  type Attribute,
  type Float32Tensor,
  float,
  float32,
  type Graph,
  int,
  int64,
  ints,
  size,
  type Tensor,
  text,
} from '../../pipeline/network/graph.ts';
import { decodeModel } from '../../pipeline/network/onnx.ts';
import { shapesOf } from '../../pipeline/network/shapes.ts';
import {
  caseNames,
  fixturePath,
  fixturesMissing,
  ifMissing,
  readCase,
  readData,
  readTensor,
} from '../fixtures.ts';

const engine = cpuEngine();
const lowerings: readonly Lowering[] = [{ maxPool: 'indices' }, { maxPool: 'compare' }];

async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const program = await engine.compile(graph);
  const values = await program.run(new Map([...feeds].map(([name, feed]) => [name, engine.upload(feed)])));
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of values) tensors.set(name, await engine.download(value));
  await program.release();
  return tensors;
}

/** The outputs of the graph, and per value of `wrt` the gradient of Σ output · cotangent. */
async function differentiate(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  cotangents: ReadonlyMap<string, Tensor>,
  wrt: readonly string[],
  lowering: Lowering,
) {
  const shapes = await shapesOf(graph, engine, feeds);
  const dims = (value: string): readonly number[] => shapes.get(value)?.dims ?? [];
  const forward = new GraphBuilder(graph);
  const objective = new Map(
    [...cotangents].map(([value]) => [value, forward.input(`cotangent of ${value}`, dims(value))]),
  );
  const { build, gradients } = adjoint(forward.graph(graph.outputs), { objective, wrt, dims, lowering });
  const names = [...gradients.values()].filter((name) => name !== undefined);
  const whole = build.graph([...new Set([...graph.outputs, ...names])]);
  const fed = [...cotangents].map(([value, tensor]) => [`cotangent of ${value}`, tensor] as const);
  const values = await run(whole, new Map([...feeds, ...fed]));
  return {
    added: whole.nodes.slice(graph.nodes.length).map(({ op }) => op),
    poolIndices: whole.nodes.some(({ op, outputs: made }) => op === 'MaxPool' && made.length > 1),
    outputs: values,
    gradients: new Map([...gradients].map(([value, name]) => [value, values.get(name ?? '')])),
  };
}

function largest(values: Iterable<number>): number {
  let result = 0;
  for (const value of values) result = Math.max(result, Math.abs(value));
  return result;
}

/** The largest absolute difference; dims must be equal. */
function distance(got: Tensor | undefined, truth: Float32Tensor): number {
  expect(got?.dims).toEqual(truth.dims);
  const data = Array.from(got?.data ?? [], Number);
  expect(data.every(Number.isFinite)).toBe(true);
  return largest(truth.data.map((value, i) => value - (data[i] ?? Number.NaN)));
}

/** What onnxruntime's WebGPU provider leaves to the CPU. */
const notOnWebGpu =
  'LRN Sum Mean Or Sign Round Selu Softsign LogSoftmax Dropout OneHot SpaceToDepth Loop MaxUnpool'.split(' ');

const rows = (['ops', 'nets'] as const).flatMap((group) =>
  caseNames(group).flatMap((name) => lowerings.map((lowering) => ({ group, name, lowering }))),
);

describe.skipIf(fixturesMissing)(`values and gradients are those of the fixtures${ifMissing}`, () => {
  const hasMaxPool = ({ group, name }: (typeof rows)[number]): boolean =>
    readCase(group, name).graph.nodes.some(({ op }) => op === 'MaxPool');

  it.each(rows.filter((row) => row.lowering.maxPool === 'indices' || hasMaxPool(row)))(
    '$group/$name, $lowering.maxPool',
    async ({ group, name, lowering }) => {
      const { graph, inputs, outputs, sets } = readCase(group, name);
      expect(sets.length).toBeGreaterThan(0);
      for (const { cotangents, gradients, outputMaxAbs, gradientMaxAbs } of sets) {
        expect(gradients.size).toBeGreaterThan(0);
        const got = await differentiate(graph, inputs, cotangents, [...gradients.keys()], lowering);
        for (const [value, truth] of outputs) {
          const bound = group === 'nets' ? Math.min(outputMaxAbs, 1e-5 * largest(truth.data)) : outputMaxAbs;
          expect(distance(got.outputs.get(value), truth)).toBeLessThanOrEqual(bound);
        }
        for (const [value, truth] of gradients) {
          expect(distance(got.gradients.get(value), truth)).toBeLessThanOrEqual(gradientMaxAbs);
        }
        if (lowering.maxPool === 'compare' || !hasMaxPool({ group, name, lowering })) {
          expect(got.added.filter((op) => notOnWebGpu.includes(op))).toEqual([]);
          expect(got.poolIndices).toBe(false);
        }
      }
    },
  );
});

/** Numbers from -1 to 1 that look random and are the same every time. */
function noise(dims: readonly number[], seed = 1): Float32Tensor {
  let state = seed * 7919;
  return float32(
    dims,
    Array.from({ length: size(dims) }, () => {
      state = (state * 48271) % 2147483647;
      return (2 * state) / 2147483647 - 1;
    }),
  );
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * (b[i] ?? Number.NaN), 0);
}

/**
 * The gradient of Σ output · noise by `value`, along two directions, is that of central differences. Relative to the
 * gradient's own length, so that 2e-3 leaves room for the curvature within the step and for float32.
 */
async function expectDerivative(
  graph: Graph,
  feeds: ReadonlyMap<string, Float32Tensor>,
  value: string,
  lowering: Lowering = { maxPool: 'indices' },
): Promise<void> {
  const output = graph.outputs[0] ?? '';
  const fed = feeds.get(value) ?? float32([0], []);
  const y = (await run(graph, feeds)).get(output);
  const cotangent = noise(y?.dims ?? [], 5);
  const { gradients } = await differentiate(graph, feeds, new Map([[output, cotangent]]), [value], lowering);
  const gradient = (gradients.get(value)?.data ?? new Float32Array()) as Float32Array;
  expect(gradients.get(value)?.dims).toEqual(fed.dims);
  for (const seed of [2, 3]) {
    const direction = noise(fed.dims, seed);
    const step = 1e-2;
    const at = async (sign: number): Promise<number> => {
      const moved = float32(
        fed.dims,
        fed.data.map((v, i) => v + sign * step * (direction.data[i] ?? 0)),
      );
      const moment = await run(graph, new Map(feeds).set(value, moved));
      return dot(moment.get(output)?.data as Float32Array, cotangent.data);
    };
    const difference = ((await at(1)) - (await at(-1))) / (2 * step);
    const length = Math.hypot(...gradient) * Math.hypot(...direction.data);
    expect(Math.abs(dot(gradient, direction.data) - difference)).toBeLessThan(2e-3 * length);
  }
}

/** Not `max_branches` and `min_branches`: a step of central differences crosses kinks there. */
const weighted = /^(conv|convtranspose|gemm|matmul|add|sub|mul|div|prelu)_|^pow_075|^max_constant/;

describe.skipIf(fixturesMissing)(`the gradient through GoogLeNet is that of the fixtures${ifMissing}`, () => {
  it.each(lowerings)('inception_3a/output, $maxPool', async (lowering) => {
    const about: { gradient: { tolerance_max_abs: number; tolerance_rms: number } } = JSON.parse(
      readFileSync(fixturePath('loaders', 'googlenet-64', 'case.json'), 'utf8'),
    );
    const read = (file: string): Float32Tensor => readTensor('loaders', 'googlenet-64', file);
    const layer = 'inception_3a/output';
    const { gradients } = await differentiate(
      { ...decodeModel(readData('models', 'googlenet.onnx')), outputs: [layer] },
      new Map([['data', read('input.pb')]]),
      new Map([[layer, read('cotangent.pb')]]),
      ['data'],
      lowering,
    );
    const truth = read('gradient.pb');
    const got = gradients.get('data');
    expect(distance(got, truth)).toBeLessThanOrEqual(about.gradient.tolerance_max_abs);
    const squares = truth.data.map((value, i) => (value - Number(got?.data[i])) ** 2);
    const rms = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
    expect(rms).toBeLessThanOrEqual(about.gradient.tolerance_rms);
  });
});

describe.skipIf(fixturesMissing)(`weights may be inputs of the graph${ifMissing}`, () => {
  const cases = caseNames('ops').filter(
    (name) =>
      weighted.test(name) &&
      [...readCase('ops', name).graph.initializers.values()].some(({ type }) => type === 'float32'),
  );

  it.each(cases)('%s', async (name) => {
    const { graph, inputs, sets } = readCase('ops', name);
    const constants = [...graph.initializers].filter(
      (entry): entry is [string, Float32Tensor] => entry[1].type === 'float32',
    );
    const open: Graph = {
      ...graph,
      inputs: [...graph.inputs, ...constants.map(([key, { type, dims }]) => ({ name: key, type, dims }))],
      initializers: new Map([...graph.initializers].filter(([, { type }]) => type !== 'float32')),
    };
    const feeds = new Map([...inputs, ...constants]);
    for (const { cotangents, gradients, gradientMaxAbs } of sets) {
      const got = await differentiate(open, feeds, cotangents, [...gradients.keys()], { maxPool: 'indices' });
      for (const [value, truth] of gradients) {
        expect(distance(got.gradients.get(value), truth)).toBeLessThanOrEqual(gradientMaxAbs);
      }
    }
    for (const [key] of constants) await expectDerivative(open, feeds, key);
  });
});

type Inputs = Readonly<Record<string, Float32Tensor>>;

/** One operation: its inputs that are fed, in front of those that are constant; the gradient is by the first. */
interface Single {
  readonly what: string;
  readonly op: string;
  readonly fed: Inputs;
  readonly constant?: readonly (Tensor | '')[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly opset?: number;
}

const picture = { x: noise([2, 3, 6, 7]) };

const singles: readonly Single[] = [
  { what: 'the mean of two', op: 'Mean', fed: { x: noise([2, 3]), z: noise([3], 4) } },
  { what: 'the smallest of a row', op: 'ReduceMin', fed: picture, attributes: { axes: ints([-1]) } },
  { what: 'the largest of all', op: 'ReduceMax', fed: picture, attributes: { keepdims: int(0) } },
  { what: 'a sum of squares', op: 'ReduceSumSquare', fed: picture, attributes: { axes: ints([1]) } },
  { what: 'no axes: nothing', op: 'ReduceSum', fed: picture, attributes: { noop_with_empty_axes: int(1) } },
  { what: 'a vector on the left', op: 'MatMul', fed: { x: noise([4]), z: noise([2, 4, 3], 4) } },
  { what: 'a vector on the right', op: 'MatMul', fed: { x: noise([2, 3, 4]), z: noise([4], 4) } },
  { what: 'two vectors', op: 'MatMul', fed: { x: noise([4]), z: noise([4], 4) } },
  { what: 'one matrix, many others', op: 'MatMul', fed: { x: noise([2, 4]), z: noise([5, 3, 4, 6], 4) } },
  {
    what: 'stacks that broadcast each other',
    op: 'MatMul',
    fed: { x: noise([2, 1, 3, 4]), z: noise([5, 4, 2], 4) },
  },
  {
    what: 'a table of indices, some from the end',
    op: 'Gather',
    fed: picture,
    constant: [{ ...int64([0, -1, 2, 2]), dims: [2, 2] }],
    attributes: { axis: int(2) },
  },
  { what: 'one index', op: 'Gather', fed: picture, constant: [{ ...int64([1]), dims: [] }] },
  {
    what: 'wrapped around',
    op: 'Pad',
    fed: picture,
    constant: [int64([0, 0, 2, 3, 0, 0, 1, 0])],
    attributes: { mode: text('wrap') },
    opset: 19,
  },
  {
    what: 'by named axes',
    op: 'Pad',
    fed: picture,
    constant: [int64([2, 0, -1, 1]), '', int64([-1, 2])],
    opset: 18,
  },
  {
    what: 'backwards over part of an axis',
    op: 'Slice',
    fed: picture,
    constant: [int64([5]), int64([0]), int64([3]), int64([-2])],
  },
  ...['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].map((rounding) => ({
    what: `nearest by ${rounding}`,
    op: 'Resize',
    fed: picture,
    constant: ['', '', int64([2, 3, 9, 5])] as const,
    attributes: { mode: text('nearest'), nearest_mode: text(rounding) },
  })),
  ...['half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners'].map((transformation) => ({
    what: `linear with ${transformation} to one row`,
    op: 'Resize',
    fed: picture,
    constant: ['', '', int64([2, 3, 1, 16])] as const,
    attributes: { mode: text('linear'), coordinate_transformation_mode: text(transformation) },
  })),
  {
    what: 'by a scale that does not divide',
    op: 'Resize',
    fed: picture,
    constant: ['', float32([4], [1, 1, 1.4, 0.7])] as const,
    attributes: { mode: text('linear') },
  },
  ...['SAME_UPPER', 'SAME_LOWER'].map((auto_pad) => ({
    what: auto_pad,
    op: 'ConvTranspose',
    fed: { ...picture, k: noise([3, 2, 4, 3], 4) },
    attributes: { auto_pad: text(auto_pad), strides: ints([2, 2]) },
  })),
  {
    what: 'more padding than the kernel reaches',
    op: 'Conv',
    fed: { ...picture, k: noise([2, 3, 2, 2], 4) },
    attributes: { pads: ints([2, 0, 3, 1]) },
  },
  {
    what: 'on a line',
    op: 'Conv',
    fed: { x: noise([2, 3, 9]), k: noise([2, 3, 3], 4) },
    attributes: { pads: ints([1, 1]) },
  },
  {
    what: 'in a volume',
    op: 'AveragePool',
    fed: { x: noise([1, 2, 4, 5, 4]) },
    attributes: { kernel_shape: ints([2, 3, 2]), strides: ints([2, 1, 2]), pads: ints([0, 1, 0, 0, 1, 0]) },
  },
  {
    what: 'padded to the same size',
    op: 'AveragePool',
    fed: picture,
    attributes: { kernel_shape: ints([3, 2]), strides: ints([2, 2]), auto_pad: text('SAME_LOWER') },
  },
  {
    what: 'below 0 rising',
    op: 'LeakyRelu',
    fed: picture,
    attributes: { alpha: float(-0.5) },
  },
];

describe('gradients are those of central differences', () => {
  it.each(singles)('$op: $what', async ({ op, fed, constant = [], attributes = {}, opset = 17 }) => {
    const build = new GraphBuilder(undefined, opset);
    const inputs = Object.entries(fed).map(([name, { dims }]) => build.input(name, dims));
    const rest = constant.map((tensor) => (tensor === '' ? '' : build.constant(tensor)));
    const graph = build.graph([build.add(op, [...inputs, ...rest], attributes)]);
    for (const name of inputs) await expectDerivative(graph, new Map(Object.entries(fed)), name);
  });

  it.each(lowerings)('MaxPool of a volume, $maxPool', async (lowering) => {
    const build = new GraphBuilder();
    const pooled = build.add('MaxPool', [build.input('x', [2, 2, 4, 5, 4])], {
      kernel_shape: ints([2, 3, 2]),
      strides: ints([2, 2, 1]),
      pads: ints([0, 1, 0, 0, 1, 1]),
    });
    await expectDerivative(build.graph([pooled]), new Map([['x', noise([2, 2, 4, 5, 4])]]), 'x', lowering);
  });
});

describe('adjoint', () => {
  /** x ⇒ Relu ⇒ Sum over channels, with a branch that the objective does not see. */
  function small() {
    const build = new GraphBuilder();
    const x = build.input('x', ['N', 2]);
    const z = build.input('z', ['N', 2]);
    const relu = build.add('Relu', [x]);
    const sum = build.add('Add', [relu, relu]);
    const unseen = build.add('Conjure', [sum]);
    const graph = build.graph([sum]);
    return { graph: { ...graph, nodes: graph.nodes.slice(0, 2) }, whole: graph, x, z, relu, sum, unseen };
  }
  const dims = (): number[] => [2, 2];
  const lowering: Lowering = { maxPool: 'indices' };

  it('differentiates the sum of a value, and adds where a value was used twice', async () => {
    const { whole, x, z, relu, sum } = small();
    const { build, gradients } = adjoint(whole, { objective: sum, wrt: [x, relu, z], dims, lowering });
    expect(gradients.get(z)).toBeUndefined();
    const graph = build.graph([gradients.get(x) ?? '', gradients.get(relu) ?? '']);
    const used = { ...graph, nodes: graph.nodes.filter(({ op }) => op !== 'Conjure') };
    const feed = float32([2, 2], [1, -1, 0, 3]);
    const values = await run(
      used,
      new Map([
        [x, feed],
        ['z', feed],
      ]),
    );
    expect(values.get(gradients.get(x) ?? '')?.data).toEqual(Float32Array.of(2, 0, 0, 2));
    expect(values.get(gradients.get(relu) ?? '')?.data).toEqual(Float32Array.of(2, 2, 2, 2));
  });

  it('names operation, node and layer where there is no rule', () => {
    const { whole, x, unseen } = small();
    const layers = [
      { name: 'block1', output: 'relu' },
      { name: 'block2/<odd>', output: unseen },
    ];
    expect(() => adjoint(whole, { objective: unseen, wrt: [x], dims, lowering, layers })).toThrow(
      "Cannot follow the gradient through the operation Conjure (node 'conjure' of layer 'block2/<odd>'): there is no rule for this operation; layers before it can still be rendered.",
    );
  });

  it('says why where a rule does not cover what a node asks for', () => {
    const build = new GraphBuilder();
    const x = build.input('x', [1, 1, 4, 4]);
    const y = build.add('Resize', [x, '', '', build.shape([1, 1, 8, 8])], { mode: text('cubic') });
    expect(() => adjoint(build.graph([y]), { objective: y, wrt: [x], dims, lowering })).toThrow(
      "Cannot follow the gradient through the operation Resize (node 'resize'): its mode is 'cubic'; layers before it can still be rendered.",
    );
  });

  it('does not take the name of a method for an operation', () => {
    const build = new GraphBuilder();
    const x = build.input('x', [2, 2]);
    const y = build.add('toString', [x]);
    expect(() => adjoint(build.graph([y]), { objective: y, wrt: [x], dims, lowering })).toThrow(/no rule/);
  });

  it.each(lowerings)(
    "a picture's gradient is to the bit that of the picture among others, $maxPool",
    async (way) => {
      const batch = 4;
      const x = noise([batch, 3, 12, 12], 9);
      const kernel = noise([8, 3, 3, 3], 4);
      const gradientOf = async (pictures: readonly number[]): Promise<Float32Array[]> => {
        const build = new GraphBuilder();
        const input = build.input('x', [pictures.length, 3, 12, 12]);
        const map = build.add('Relu', [
          build.add('Conv', [input, build.constant(kernel)], { pads: ints([1, 1, 1, 1]) }),
        ]);
        const pooled = build.add('MaxPool', [map], { kernel_shape: ints([3, 3]), strides: ints([2, 2]) });
        const y = build.add('AveragePool', [pooled], { kernel_shape: ints([2, 2]) });
        const feed = float32(
          [pictures.length, 3, 12, 12],
          Float32Array.from(pictures.flatMap((i) => [...x.data.subarray(i * 432, (i + 1) * 432)])),
        );
        const shape = (await run(build.graph([y]), new Map([['x', feed]]))).get(y)?.dims ?? [];
        const ones = float32(shape, new Float32Array(size(shape)).fill(1));
        const { gradients } = await differentiate(
          build.graph([y]),
          new Map([['x', feed]]),
          new Map([[y, ones]]),
          ['x'],
          way,
        );
        const data = gradients.get('x')?.data as Float32Array;
        return pictures.map((_, i) => data.subarray(i * 432, (i + 1) * 432));
      };
      const together = await gradientOf([0, 1, 2, 3]);
      expect(largest(together[2] ?? [])).toBeGreaterThan(0.01);
      expect(await gradientOf([3, 2])).toEqual([together[3], together[2]]);
      expect(await gradientOf([1])).toEqual([together[1]]);
    },
  );
});
