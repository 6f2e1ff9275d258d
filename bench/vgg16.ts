/**
 * VGG16 whole, with random weights in the layout of the official file (553 MB): how long it takes to load and how much
 * memory rendering it needs. `node bench/vgg16.ts [convolutions.h5]`: with the true convolutions' file these are
 * measured as well. Each task runs in a process of its own; one line of JSON each.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { File, ready } from 'h5wasm';
import { modelContent } from '../content/schema.ts';
import { peakRssBytes } from '../pipeline/bench/machine.ts';
import { cpuEngine } from '../pipeline/engine/onnxruntime.ts';
import { loadNetwork } from '../pipeline/formats/index.ts';
import { readModelFile } from '../pipeline/formats/read.ts';
import { planModel } from '../pipeline/plan.ts';
import { randomOf } from '../pipeline/recipe/random.ts';
import { renderModels } from '../pipeline/render.ts';
import { MemoryStore } from '../pipeline/store/memory.ts';

const wholeFile = '.cache/bench/vgg16-random.h5';

/** Layer by layer, in the file's own axes. */
const convolutions = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
const blocks = ['1_1', '1_2', '2_1', '2_2', '3_1', '3_2', '3_3', '4_1', '4_2', '4_3', '5_1', '5_2', '5_3'];
const shapes: [name: string, dims: number[]][] = [
  ...convolutions.map((filters, index): [string, number[]] => {
    const [block, place] = (blocks[index] as string).split('_');
    return [`block${block}_conv${place}`, [3, 3, convolutions[index - 1] ?? 3, filters]];
  }),
  ['fc1', [25088, 4096]],
  ['fc2', [4096, 4096]],
  ['predictions', [4096, 1000]],
];

/** He-normal weights: activations keep their size from layer to layer. */
async function writeWhole(): Promise<void> {
  const { FS } = await ready;
  const file = new File('/vgg16.h5', 'w');
  file.create_attribute(
    'layer_names',
    shapes.map(([name]) => name),
  );
  for (const [name, dims] of shapes) {
    const group = file.create_group(name);
    const names = ['W', 'b'].map((kind) => `${name}_${kind}_1:0`);
    group.create_attribute('weight_names', names);
    const fanIn = dims.slice(0, -1).reduce((product, dim) => product * dim, 1);
    const random = randomOf(fanIn);
    const some = Float32Array.from({ length: 1 << 20 }, () => Math.sqrt(2 / fanIn) * random.normal());
    const kernel = new Float32Array(fanIn * (dims.at(-1) as number));
    for (let at = 0; at < kernel.length; at += some.length - 7919) {
      kernel.set(some.subarray(0, Math.min(some.length, kernel.length - at)), at);
    }
    const [kernelName = '', biasName = ''] = names;
    group.create_dataset({ name: kernelName, data: kernel, shape: dims });
    group.create_dataset({ name: biasName, data: new Float32Array(dims.at(-1) as number) });
  }
  file.close();
  await mkdir('.cache/bench', { recursive: true });
  await writeFile(`${wholeFile}.part`, FS.readFile('/vgg16.h5'));
  await rename(`${wholeFile}.part`, wholeFile);
}

/** Loads `weights` to a ready graph; with layers, renders `units` units of each for `steps` steps. */
async function task(
  weights: string,
  layers: string[],
  units: number,
  sizePx: number,
  steps: number,
): Promise<void> {
  const startedAt = performance.now();
  const network = await loadNetwork(await readModelFile(weights));
  const loadSeconds = (performance.now() - startedAt) / 1000;
  const found: Record<string, unknown> = { layers: network.layers.length, loadSeconds };
  if (layers.length > 0) {
    const written = modelContent.parse({ title: 'VGG16', weights, input: { scaling: 'caffe' } });
    const content = { ...written, classes: [] };
    const numbers = Array.from({ length: units }, (_, unit) => unit);
    const plan = await planModel(
      { slug: 'vgg16', file: 'vgg16.json', content, weights, weightsFile: weights },
      { layers, units: numbers, sizePx, steps },
    );
    const engine = cpuEngine();
    const effects = {
      engine,
      store: new MemoryStore(),
      signal: new AbortController().signal,
      emit: () => {},
    };
    const { units: counts, seconds, failures } = await renderModels([plan], {}, effects);
    Object.assign(found, { rendered: counts.rendered, failures, seconds });
  }
  process.stdout.write(
    `${JSON.stringify({ weights, of: layers, sizePx, steps, ...found, peakRssBytes: peakRssBytes() })}\n`,
  );
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--task') {
  const [weights = '', layers = '', units = '0', sizePx = '0', steps = '0'] = rest;
  await task(weights, layers === '' ? [] : layers.split(','), Number(units), Number(sizePx), Number(steps));
} else {
  const run = (...parts: string[]): void => {
    const { stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, '--task', ...parts], {
      encoding: 'utf8',
    });
    process.stdout.write(stdout || `${stderr}\n`);
  };
  if (!existsSync(wholeFile)) await writeWhole();
  process.stdout.write(`${JSON.stringify({ cpu: cpus()[0]?.model, cores: cpus().length })}\n`);
  if (first !== undefined) {
    run(first, '');
    run(first, 'block1_conv2,block2_conv2,block3_conv3,block4_conv3,block5_conv3', '8', '128', '2');
  }
  run(wholeFile, '');
  run(wholeFile, 'fc1,fc2,predictions', '2', '224', '1');
}
