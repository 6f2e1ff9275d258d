/** What every engine is tried with: a few steps of an ascent in a small network of convolutions, whose end is known. */

import { ascender } from '../ascent/ascend.ts';
import type { AscentSpec } from '../ascent/step.ts';
import type { Engine } from '../engine/engine.ts';
import { GraphBuilder } from '../network/build.ts';
import { float32, ints, size } from '../network/graph.ts';
import type { Layer, Network } from '../network/network.ts';
import { randomOf } from '../recipe/random.ts';
import { resolveRecipe } from '../recipe/resolve.ts';
import { resolveScaling } from '../recipe/scaling.ts';

export interface Trial {
  readonly device: string;
  readonly msPerPictureStep: number;
  /** The objectives of the first picture, one value more than steps. */
  readonly curve: readonly number[];
}

const steps = 2;
const units = [0, 1, 2, 3];

/** Many ascents on a processor, so that one of them is not disturbed; one on what is far slower. */
const longEnoughMs = 2000;

/** The time is that of the fastest ascent after the first, which compiles: others were disturbed. */
export async function tryOut(engine: Engine): Promise<Trial> {
  const network = trialNetwork();
  const spec: AscentSpec = {
    network,
    layer: network.layers[0] as Layer,
    // Not by Adam: its first update is a sign, and where a gradient is 0 but for its rounding that is anyone's guess.
    recipe: resolveRecipe({ preset: 'keras-blog', steps }, 'trial'),
    scaling: resolveScaling('-1..1', 3),
    size: { channels: 3, height: 32, width: 32 },
    batch: units.length,
  };
  const climber = await ascender(spec, engine);
  const climb = () => Array.fromAsync(climber.run(units, { seed: 1, attempt: 0 }));
  const ascents = await climb();
  let [fastestMs, spentMs] = [Number.POSITIVE_INFINITY, 0];
  while (spentMs < longEnoughMs) {
    const startedAt = performance.now();
    await climb();
    const elapsedMs = performance.now() - startedAt;
    fastestMs = Math.min(fastestMs, elapsedMs);
    spentMs += elapsedMs;
  }
  await climber.release();
  return {
    device: engine.device,
    msPerPictureStep: fastestMs / (steps + 1) / units.length,
    curve: ascents.find(({ unit }) => unit === units[0])?.curve ?? [],
  };
}

/** Convolutions of VGG's kind, with seeded random weights: 3 → 32 → 32, pool, → 64 → 64. */
function trialNetwork(): Network {
  const build = new GraphBuilder();
  const random = randomOf(1);
  const input = build.input('picture', ['N', 3, 'H', 'W']);
  let [linear, output] = ['', input];
  [3, 32, 32, 64].forEach((channels, place) => {
    const dims = [place < 2 ? 32 : 64, channels, 3, 3];
    const deviation = Math.sqrt(2 / size(dims.slice(1)));
    const kernel = Float32Array.from({ length: size(dims) }, () => deviation * random.normal());
    if (place === 2) {
      output = build.add('MaxPool', [output], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
    }
    linear = build.add('Conv', [output, build.constant(float32(dims, kernel), 'kernel')], {
      pads: ints([1, 1, 1, 1]),
    });
    output = build.add('Relu', [linear]);
  });
  return {
    format: 'onnx',
    graph: build.graph([output]),
    input: { name: input, layout: 'NCHW', channels: 3, height: null, width: null },
    layers: [{ name: 'conv4', kind: 'conv', units: 64, linear, output, unitAxis: 1 }],
    gaps: [],
  };
}
