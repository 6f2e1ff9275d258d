import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { modelContent } from '../content/schema.ts';
import { assumeContent } from '../pipeline/assume.ts';
import { loadNetwork } from '../pipeline/formats/index.ts';
import { readModelFile } from '../pipeline/formats/read.ts';
import { GraphBuilder } from '../pipeline/network/build.ts';
import { float32, size } from '../pipeline/network/graph.ts';
import type { Network } from '../pipeline/network/network.ts';
import { fixturePath, fixturesMissing, ifMissing } from './fixtures.ts';

interface Made {
  readonly channels?: number;
  readonly side?: number | null;
  readonly names?: readonly string[];
  /** What is done to the input first. */
  readonly begin?: (build: GraphBuilder) => string;
}

/** A chain of convolutions of one unit with these names. */
function network({ channels = 3, side = null, names = ['conv'], begin = () => 'x' }: Made): Network {
  const build = new GraphBuilder();
  build.input('x', ['N', channels, side, side]);
  let value = begin(build);
  const layers = names.map((name, place): Network['layers'][number] => {
    const dims = [1, place === 0 ? channels : 1, 1, 1];
    const kernel = build.constant(float32(dims, new Float32Array(size(dims))));
    value = build.add('Conv', [value, kernel]);
    return { name, kind: 'conv', units: 1, output: value, linear: value, unitAxis: 1 };
  });
  const input = { name: 'x', layout: 'NCHW', channels, height: side, width: side } as const;
  return { format: 'onnx', graph: build.graph([value]), input, layers, gaps: [] };
}

const assumed = (made: Made, path = '/models/flowers.onnx') => assumeContent(network(made), path);

describe('the scaling that is assumed', () => {
  const normalised = (mean: number, deviation: number) => (build: GraphBuilder) => {
    const moved = build.add('Sub', ['x', build.constant(float32([], [mean]))]);
    return build.add('Div', [moved, build.constant(float32([], [deviation]))]);
  };

  it.each<[string, Made, string]>([
    ['a network that says nothing', {}, '0..1'],
    ['a VGG', { names: ['block1_conv1', 'block1_conv2', 'block2_conv1'] }, 'caffe'],
    ['Xception', { names: ['block1_conv1', 'block1_conv2', 'block2_sepconv1'] }, '-1..1'],
    ['GoogLeNet', { names: ['conv1/7x7_s2', 'inception_3a/1x1'] }, 'caffe'],
    ['SqueezeNet', { names: ['conv1', 'fire2/squeeze1x1'] }, 'caffe'],
    ['a ResNet of Keras', { names: ['conv1_conv', 'conv2_block1_1_conv', 'conv2_block1_3_conv'] }, 'caffe'],
    ['a DenseNet of Keras', { names: ['conv2_block1_2_conv', 'conv3_block1_1_conv'] }, 'torch'],
    ['a MobileNet of Keras', { names: ['conv1', 'conv_dw_1', 'conv_pw_1'] }, '-1..1'],
    ['a ResNet of torchvision', { names: ['/conv1/Conv', '/layer1/layer1.0/conv1/Conv'] }, 'torch'],
    ['one channel, whatever the names', { channels: 1, names: ['block1_conv1', 'block2_conv1'] }, '0..1'],
    ['x / 255 in the network', { begin: normalised(0, 255) }, 'none'],
    ['x / 127.5 - 1 in the network', { begin: normalised(127.5, 127.5) }, 'none'],
    ['minus a mean of 0..255 in the network', { begin: normalised(117, 1) }, 'none'],
    ['mean and deviation of 0..1 in the network', { begin: normalised(0.45, 0.22) }, '0..1'],
    ['mean and deviation of -1..1 in the network', { begin: normalised(-0.1, 0.5) }, '-1..1'],
    [
      'a VGG that scales its input itself',
      { begin: normalised(0, 255), names: ['block1_conv1', 'block2_conv1'] },
      'none',
    ],
  ])('for %s', (_, made, scaling) => {
    const { content, reasons } = assumed(made);
    expect(content.input).toEqual({ scaling });
    expect(reasons[0]?.field).toBe('scaling');
  });

  it('comes with its reason', () => {
    const reason = (made: Made): string | undefined => assumed(made).reasons[0]?.reason;
    expect(reason({ begin: normalised(0, 255) })).toBe('the network scales 0..255 itself');
    expect(reason({ names: ['block1_conv1', 'block2_conv1'] })).toBe('its layers have the names of a VGG');
    expect(reason({ channels: 1 })).toBe(
      'nothing in the file says it; if pictures look wrong, try -1..1 or none',
    );
  });
});

describe('the recipe that is assumed', () => {
  it.each<[string, Made, string]>([
    ['one channel of 28 px', { channels: 1, side: 28 }, 'phosphene-ink'],
    ['one channel of 48 px, as faces are', { channels: 1, side: 48 }, 'phosphene'],
    ['one channel of any size', { channels: 1 }, 'phosphene'],
    ['small colour pictures', { side: 28 }, 'phosphene'],
  ])('for %s', (_, made, recipe) => {
    expect(assumed(made).content.recipe).toBe(recipe);
  });
});

describe('the name that is assumed', () => {
  it.each([
    ['/models/flowers.onnx', 'flowers', 'flowers'],
    ['/models/My Flowers__2.keras', 'My Flowers__2', 'my-flowers-2'],
    ['/models/tiny-vgg/model.json', 'tiny-vgg', 'tiny-vgg'],
    ['/models/net.102-0.66.hdf5', 'net.102-0.66', 'net-102-0-66'],
    ['/models/\u001b[31mred\u202e.onnx', '[31mred', '31mred'],
    ['/models/search.h5', 'search', 'search-model'],
  ])('of %j is %j, its address %j', (path, title, slug) => {
    const found = assumed({}, path);
    expect([found.content.title, found.slug]).toEqual([title, slug]);
  });

  it('fits into an address and a content file, whatever the file is called', () => {
    for (const name of ['🌷.onnx', '.onnx', `${'x_-'.repeat(200)}.h5`, '..', 'a__b--c']) {
      const { slug, content } = assumed({}, `/models/${name}`);
      expect(slug).toMatch(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/);
      expect(slug.length).toBeLessThanOrEqual(80);
      expect(modelContent.safeParse({ ...content, weights: 'w' }).success).toBe(true);
    }
  });
});

it('layers that cannot be rendered are counted, and left to inspect', () => {
  const whole = network({ names: ['first', 'second'] });
  const { reasons } = assumeContent(
    { ...whole, gaps: [{ layer: 'third', reason: 'No.' }] },
    '/models/a.onnx',
  );
  expect(reasons.find(({ field }) => field === 'layers')?.reason).toBe(
    'all 2 layers, first to second; 1 that cannot be rendered (phosphene inspect says why); "layers" in the content file chooses',
  );
});

describe.skipIf(fixturesMissing)(`what is assumed of published networks${ifMissing}`, () => {
  it.each([
    ['models/vgg16_blocks1-2_notop.h5', 'caffe', 'phosphene'],
    ['models/googlenet.onnx', 'caffe', 'phosphene'],
    ['models/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5', 'caffe', 'phosphene'],
    ['keras-models/mvirgo_full_CNN_model.h5', 'none', 'phosphene'],
    ['keras-models/leyuzak_mnist_cnn.keras', '0..1', 'phosphene-ink'],
    ['tiny-vgg/model.json', '0..1', 'phosphene'],
  ])('%s: %s, %s', async (name, scaling, recipe) => {
    const path = fixturePath('../data', name);
    expect(existsSync(path)).toBe(true);
    const { content } = assumeContent(await loadNetwork(await readModelFile(path)), path);
    expect(content).toMatchObject({ input: { scaling }, recipe });
  });
});
