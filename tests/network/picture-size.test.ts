import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32, int64, ints, size } from '../../pipeline/network/graph.ts';
import { outputDims } from '../../pipeline/network/inspect.ts';
import type { Layer, Network } from '../../pipeline/network/network.ts';
import { layerSizes } from '../../pipeline/network/picture-size.ts';
import { valuesOfAnySize } from '../../pipeline/network/receptive.ts';

const ones = (dims: readonly number[]) => float32(dims, new Float32Array(size(dims)).fill(1));

const conv = (build: GraphBuilder, x: string): string =>
  build.add('Conv', [x, build.constant(ones([1, 1, 3, 3]))], { pads: ints([1, 1, 1, 1]) });
const halved = (build: GraphBuilder, x: string): string =>
  build.add('MaxPool', [x], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });

const layerOf = (name: string, kind: Layer['kind'], units: number, value: string): Layer => ({
  name,
  kind,
  units,
  output: value,
  linear: value,
  unitAxis: 1,
});

/** VGG16 with one unit a convolution; where the side of its input is stated, with a dense layer of two units. */
function vgg16(side: { height: number; width: number } | null): Network {
  const build = new GraphBuilder();
  let x = build.input('x', ['N', 1, side?.height ?? null, side?.width ?? null]);
  const layers: Layer[] = [];
  [2, 2, 3, 3, 3].forEach((count, block) => {
    for (let place = 1; place <= count; place++) {
      x = conv(build, x);
      layers.push(layerOf(`block${block + 1}_conv${place}`, 'conv', 1, x));
    }
    x = halved(build, x);
  });
  if (side !== null) {
    const values = Math.floor(side.height / 32) * Math.floor(side.width / 32);
    const flat = build.add('Flatten', [x]);
    x = build.add('Gemm', [flat, build.constant(ones([values, 2]))]);
    layers.push(layerOf('dense', 'dense', 2, x));
  }
  return {
    format: 'onnx',
    graph: build.graph([x]),
    input: {
      name: 'x',
      layout: 'NCHW',
      channels: 1,
      height: side?.height ?? null,
      width: side?.width ?? null,
    },
    layers,
    gaps: [],
  };
}

const sizes = (network: Network, sidePx?: number): Record<string, string> => {
  const sizeOf = layerSizes(network, sidePx);
  return Object.fromEntries(
    network.layers.map((layer) => {
      const { height, width } = sizeOf(layer);
      return [layer.name, `${height}×${width}`];
    }),
  );
};

const ofVgg = (sides: readonly number[]): Record<string, string> => {
  const names = vgg16(null).layers.map(({ name }) => name);
  return Object.fromEntries(names.map((name, place) => [name, `${sides[place]}×${sides[place]}`]));
};

describe("the size of a layer's pictures", () => {
  it('grows with what the layer sees, where the network takes any size', () => {
    expect(sizes(vgg16(null))).toEqual(ofVgg([64, 64, 64, 64, 64, 64, 64, 96, 128, 160, 224, 224, 224]));
  });

  it('is the same in front of a dense layer, which itself needs the whole input', () => {
    expect(sizes(vgg16({ height: 224, width: 224 }))).toEqual({
      ...ofVgg([64, 64, 64, 64, 64, 64, 64, 96, 128, 160, 224, 224, 224]),
      dense: '224×224',
    });
  });

  it('is the whole input where a square of that side does not fit in it', () => {
    expect(sizes(vgg16({ height: 96, width: 200 }))).toMatchObject({
      block1_conv1: '64×64',
      block4_conv1: '96×96',
      block4_conv2: '96×200',
      block5_conv3: '96×200',
      dense: '96×200',
    });
  });

  it('is what a person says, but where the network needs its input', () => {
    const network = vgg16({ height: 224, width: 224 });
    expect(sizes(network, 80)).toEqual({ ...ofVgg(new Array(13).fill(80)), dense: '224×224' });
    const free = network.layers.map((layer) => layerSizes(network)(layer).free);
    expect(free).toEqual([...new Array(13).fill(true), false]);
  });

  it('gives maps of that size, whatever input the file states', async () => {
    const network = vgg16({ height: 224, width: 224 });
    const [first, , third, ...rest] = network.layers;
    const dense = rest.at(-1);
    if (first === undefined || third === undefined || dense === undefined) throw new Error('no layers');
    const dims = await outputDims(network, [first, third, dense], layerSizes(network)(first), cpuEngine());
    expect([first, third, dense].map((layer) => dims.get(layer))).toEqual([[1, 64, 64], [1, 32, 32], [2]]);
  });
});

describe('values of any size', () => {
  const cases: Record<string, { write: (build: GraphBuilder) => string; anySize: boolean }> = {
    'a constant a channel': {
      write: (b) => b.add('Add', ['x', b.constant(ones([1, 1, 1]))]),
      anySize: true,
    },
    'a batch normalisation': {
      write: (b) => b.add('BatchNormalization', ['x', ...[0, 1, 2, 3].map(() => b.constant(ones([1])))]),
      anySize: true,
    },
    'a constant with a value a place': {
      write: (b) => b.add('Add', ['x', b.constant(ones([12, 12]))]),
      anySize: false,
    },
    'slopes with a value a place, then a convolution': {
      write: (b) => conv(b, b.add('PRelu', ['x', b.constant(ones([1, 12, 12]))])),
      anySize: false,
    },
    'a crop that ends at a place': {
      write: (b) => b.add('Slice', ['x', b.shape([1]), b.shape([10]), b.shape([2])]),
      anySize: false,
    },
    'a crop that is counted from the end': {
      write: (b) => b.add('Slice', ['x', b.shape([1]), b.constant(int64([-1])), b.shape([2])]),
      anySize: true,
    },
    'a crop of channels': {
      write: (b) => b.add('Slice', ['x', b.shape([0]), b.shape([1]), b.shape([1])]),
      anySize: true,
    },
    'a reshape to stated dims': {
      write: (b) => b.add('Reshape', ['x', b.shape([1, 1, 12, 12])]),
      anySize: false,
    },
    'a global pool': { write: (b) => b.add('GlobalAveragePool', ['x']), anySize: false },
  };

  it.each(Object.entries(cases))('behind %s: as the table says', (_, { write, anySize }) => {
    const build = new GraphBuilder();
    build.input('x', ['N', 1, 12, 12]);
    const value = write(build);
    const found = valuesOfAnySize(build.graph([value]), { name: 'x', layout: 'NCHW' });
    expect(found.has(value)).toBe(anySize);
  });
});
