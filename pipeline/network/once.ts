/** What is made of weights alone is made once, though every layer's graph reads them: it lives as long as they do. */

import type { Float32Tensor } from './graph.ts';

/** The same function, which remembers what it made of the same numbers with the same further arguments, plain data. */
export function once<Rest extends readonly unknown[]>(
  make: (weights: Float32Tensor, ...rest: Rest) => Float32Tensor,
): (weights: Float32Tensor, ...rest: Rest) => Float32Tensor {
  const made = new WeakMap<Float32Array, Map<string, Float32Tensor>>();
  return (weights, ...rest) => {
    const ofWeights = made.get(weights.data) ?? new Map<string, Float32Tensor>();
    made.set(weights.data, ofWeights);
    const key = JSON.stringify([weights.dims, ...rest]);
    const found = ofWeights.get(key) ?? make(weights, ...rest);
    ofWeights.set(key, found);
    return found;
  };
}
