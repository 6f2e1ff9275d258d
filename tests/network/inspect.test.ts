import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { readModelFile } from '../../pipeline/formats/read.ts';
import { inspect } from '../../pipeline/network/inspect.ts';

it('inspect describes the MNIST network layer by layer', async () => {
  const path = join(import.meta.dirname, '../../content/weights/mnist.keras');
  const found = await inspect(path, await loadNetwork(await readModelFile(path)), cpuEngine());
  expect(found.format).toBe('keras-zip');
  expect(found.input).toMatchObject({ layout: 'NCHW', channels: 1, height: 28, width: 28 });
  expect(
    found.layers.map(({ name, kind, output, receptiveField }) => [name, kind, output, receptiveField]),
  ).toEqual([
    ['conv2d_1', 'conv', [32, 26, 26], 3],
    ['conv2d_2', 'conv', [32, 24, 24], 5],
    ['conv2d_3', 'conv', [64, 10, 10], 10],
    ['conv2d_4', 'conv', [64, 8, 8], 14],
    ['dense_1', 'dense', [256], null],
    ['dense_2', 'dense', [128], null],
    ['dense_3', 'scores', [10], null],
  ]);
  expect(found.layers.every(({ renderable }) => renderable)).toBe(true);
  expect(found.layers.map(({ slug }) => slug)).toEqual(found.layers.map(({ name }) => name));
});
