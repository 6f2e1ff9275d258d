import { describe, expect, it } from 'vitest';
import type { Liberties, Value } from '../../pipeline/engine/engine.ts';
import { inOperationsOf, ownForms } from '../../pipeline/engine/forms.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { processorForms } from '../../pipeline/engine/processor.ts';
import { adjoint } from '../../pipeline/network/adjoint/adjoint.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32, type Graph, int, ints, size } from '../../pipeline/network/graph.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';

const random = randomOf(5);
const some = (dims: readonly number[]) =>
  float32(
    dims,
    Float32Array.from({ length: size(dims) }, () => random.normal()),
  );
const opsOf = (graph: Graph, liberties?: Liberties): string[] =>
  inOperationsOf(graph, processorForms(liberties)).nodes.map(({ op }) => op);

describe('the forms of the processor', () => {
  it('turn a convolution from many channels to few around, with the sums of its definition', async () => {
    const [x, kernel, bias] = [some([2, 16, 5, 6]), some([3, 16, 3, 2]), some([3])];
    const build = new GraphBuilder();
    const inputs = [build.input('x', x.dims), build.constant(kernel), build.constant(bias)];
    const y = build.add('Conv', inputs, { pads: ints([1, 0, 2, 1]) });
    expect(opsOf(build.graph([y]))).toEqual(['ConvTranspose']);
    const engine = cpuEngine();
    const program = await engine.compile(build.graph([y]));
    const values = await program.run(new Map([['x', engine.upload(x)]]));
    const found = await engine.download(values.get(y) as Value);
    expect(found.dims).toEqual([2, 3, 6, 6]);
    const at = (image: number, channel: number, row: number, column: number): number =>
      row < 0 || row >= 5 || column < 0 || column >= 6
        ? 0
        : (x.data[((image * 16 + channel) * 5 + row) * 6 + column] as number);
    found.data.forEach((value, place) => {
      const [column, row] = [place % 6, Math.floor(place / 6) % 6];
      const [filter, image] = [Math.floor(place / 36) % 3, Math.floor(place / 108)];
      let sum = bias.data[filter] as number;
      kernel.data.slice(filter * 96, (filter + 1) * 96).forEach((weight, index) => {
        const [tap, channel] = [index % 6, Math.floor(index / 6)];
        sum += weight * at(image, channel, row - 1 + Math.floor(tap / 2), column + (tap % 2));
      });
      // 96 products of order 1.
      expect(Number(value)).toBeCloseTo(sum, 4);
    });
    await program.release();
  });

  it('leave convolutions with steps, groups, or more padding than the kernel reaches', () => {
    for (const attributes of [{ strides: ints([2, 2]) }, { group: int(2) }, { pads: ints([3, 3, 3, 3]) }]) {
      const build = new GraphBuilder();
      const kernel = build.constant(some([2, 'group' in attributes ? 8 : 16, 3, 3]));
      const y = build.add('Conv', [build.input('x', [1, 16, 6, 6]), kernel], attributes);
      expect(opsOf(build.graph([y]))).toEqual(['Conv']);
    }
  });

  it('unpool wide maps by comparison where all winners may get the cotangent, else as by indices', async () => {
    const dims = [2, 64, 4, 6];
    const halving = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
    const build = new GraphBuilder();
    const [pooled = '', indices = ''] = build.addMany('MaxPool', [build.input('x', dims)], 2, halving);
    const g = build.input('g', [2, 64, 2, 3]);
    const back = build.add('MaxUnpool', [g, indices, build.shape(dims)], halving);
    const graph = build.graph([pooled, back]);
    expect(opsOf(graph)).toContain('MaxUnpool');
    expect(opsOf(graph, { allWinners: true })).not.toContain('MaxUnpool');
    const engine = cpuEngine();
    const program = await engine.compile(graph, { allWinners: true });
    const cotangent = some([2, 64, 2, 3]);
    const unpooled = async (x: ReturnType<typeof some>): Promise<Float32Array> => {
      const feeds = new Map(Object.entries({ x, g: cotangent }));
      const values = await program.run(
        new Map([...feeds].map(([name, value]) => [name, engine.upload(value)])),
      );
      return (await engine.download(values.get(back) as Value)).data as Float32Array;
    };
    const window = (place: number): number => {
      const [column, row, map] = [place % 6, Math.floor(place / 6) % 4, Math.floor(place / 24)];
      return map * 6 + Math.floor(row / 2) * 3 + Math.floor(column / 2);
    };
    const x = some(dims);
    const largest = new Float32Array(cotangent.data.length).fill(Number.NEGATIVE_INFINITY);
    x.data.forEach((value, place) => {
      largest[window(place)] = Math.max(value, largest[window(place)] as number);
    });
    const expected = x.data.map(
      (value, place) => (cotangent.data[window(place)] as number) * Number(value === largest[window(place)]),
    );
    expect(await unpooled(x)).toEqual(expected);
    const flat = await unpooled(float32(dims, new Float32Array(size(dims)).fill(3)));
    expect(flat).toEqual(flat.map((_, place) => cotangent.data[window(place)] as number));
    await program.release();
  });

  it.each([
    ['wraps', 1, 0],
    ['wraps, back', 1, 1],
    ['zeros at the border', 0, 0],
    ['zeros at the border, back', 0, 1],
  ])(
    'cut a shifted picture out, to the same as by products and by definition: %s',
    async (_, wraps, back) => {
      const [height, width, pixels] = [96, 64, 3];
      const x = some([2, 2, height, width]);
      const [down, right] = [float32([2, 1, 1, 1], [3, -1]), float32([2, 1, 1, 1], [0, -3])];
      const build = new GraphBuilder();
      const inputs = [
        build.input('x', x.dims),
        build.input('down', down.dims),
        build.input('right', right.dims),
      ];
      const sides = ints([height, width]);
      const y = build.add('Shift', inputs, {
        pixels: int(pixels),
        sides,
        wraps: int(wraps),
        back: int(back),
      });
      const graph = build.graph([y]);
      expect(opsOf(graph)).not.toContain('MatMul');
      const engine = cpuEngine();
      for (const form of [graph, inOperationsOf(graph, ownForms)]) {
        const program = await engine.compile(form);
        const feeds = Object.entries({ x, down, right });
        const values = await program.run(new Map(feeds.map(([name, value]) => [name, engine.upload(value)])));
        const found = await engine.download(values.get(y) as Value);
        const expected = x.data.map((_, place) => {
          const [column, row] = [place % width, Math.floor(place / width) % height];
          const picture = Math.floor(place / (2 * width * height));
          const sign = back === 1 ? -1 : 1;
          const fromRow = row - sign * (down.data[picture] as number);
          const fromColumn = column - sign * (right.data[picture] as number);
          const [wrappedRow, wrappedColumn] = [(fromRow + height) % height, (fromColumn + width) % width];
          const isInside = wrappedRow === fromRow && wrappedColumn === fromColumn;
          const source = place + (wrappedRow - row) * width + wrappedColumn - column;
          return wraps === 1 || isInside ? (x.data[source] as number) : 0;
        });
        // A product may make -0.
        expect((found.data as Float32Array).map((value) => value + 0)).toEqual(expected);
        await program.release();
      }
    },
  );

  it("mask a Relu's cotangent by its sign, 0 at 0", async () => {
    const forward = new GraphBuilder();
    const x = forward.input('x', [4]);
    const sum = forward.add('ReduceSum', [forward.add('Relu', [x])], { keepdims: int(0) });
    const { build, gradients } = adjoint(forward.graph([sum]), {
      objective: sum,
      wrt: [x],
      dims: (value) => (value === sum ? [] : [4]),
      lowering: { maxPool: 'indices' },
    });
    const gradient = gradients.get(x) as string;
    const graph = build.graph([gradient]);
    expect(opsOf(graph)).not.toContain('Greater');
    const engine = cpuEngine();
    const program = await engine.compile(graph);
    const values = await program.run(new Map([['x', engine.upload(float32([4], [-2, 0, 1e-6, 3e30]))]]));
    expect((await engine.download(values.get(gradient) as Value)).data).toEqual(Float32Array.of(0, 0, 1, 1));
    await program.release();
  });
});
