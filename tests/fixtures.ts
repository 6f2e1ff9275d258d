/** The shared fixtures, as graphs and tensors. They lie beside the project; where they are missing, tests that need them say so. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Float32Tensor, Graph } from '../pipeline/network/graph.ts';
import { decodeModel, decodeTensor } from '../pipeline/network/onnx.ts';

const folder = join(import.meta.dirname, '../../shared/fixtures');

/** For `describe.skipIf`, and for its title. */
export const fixturesMissing = !existsSync(folder);
export const ifMissing = fixturesMissing ? ` (skipped: there is no folder ${folder})` : '';

/** The path of a file or folder of the fixtures. */
export function fixturePath(...names: string[]): string {
  return join(folder, ...names);
}

/** The bytes of a file of the shared data, which lies beside the fixtures. */
export function readData(...names: string[]): Uint8Array {
  return readFileSync(fixturePath('../data', ...names));
}

/** The float32 tensor in a .pb file of the fixtures. */
export function readTensor(...names: string[]): Float32Tensor {
  const tensor = decodeTensor(readFileSync(fixturePath(...names)));
  if (tensor.type !== 'float32') throw new Error(`Expected float32 values in ${names.join('/')}`);
  return tensor;
}

export interface OperationCase {
  readonly graph: Graph;
  /** Graph input ⇒ value. */
  readonly inputs: ReadonlyMap<string, Float32Tensor>;
  /** Graph output ⇒ true value. */
  readonly outputs: ReadonlyMap<string, Float32Tensor>;
  /** The objectives whose gradients are known. */
  readonly sets: readonly {
    /** Graph output ⇒ cotangent; outputs that are missing have cotangent 0. */
    readonly cotangents: ReadonlyMap<string, Float32Tensor>;
    /** Graph input ⇒ true gradient. */
    readonly gradients: ReadonlyMap<string, Float32Tensor>;
    /** Bounds on the largest absolute difference. */
    readonly outputMaxAbs: number;
    readonly gradientMaxAbs: number;
  }[];
}

/** The names of all cases of `ops` or `nets`; none where the fixtures are missing. */
export function caseNames(group: 'ops' | 'nets'): string[] {
  return fixturesMissing ? [] : readdirSync(fixturePath(group)).sort();
}

export function readCase(group: 'ops' | 'nets', name: string): OperationCase {
  const about: {
    inputs: string[];
    outputs: string[];
    sets: { tolerance: { output_max_abs: number; gradient_max_abs: number } }[];
  } = JSON.parse(readFileSync(fixturePath(group, name, 'case.json'), 'utf8'));
  const read = (set: number, kind: string, values: readonly string[]): Map<string, Float32Tensor> =>
    new Map(
      values.flatMap((value, k) => {
        const path = [group, name, `test_data_set_${set}`, `${kind}_${k}.pb`];
        return existsSync(fixturePath(...path)) ? [[value, readTensor(...path)] as const] : [];
      }),
    );
  return {
    graph: decodeModel(readFileSync(fixturePath(group, name, 'model.onnx'))),
    inputs: read(0, 'input', about.inputs),
    outputs: read(0, 'output', about.outputs),
    sets: about.sets.map(({ tolerance }, set) => ({
      cotangents: read(set, 'cotangent', about.outputs),
      gradients: read(set, 'gradient', about.inputs),
      outputMaxAbs: tolerance.output_max_abs,
      gradientMaxAbs: tolerance.gradient_max_abs,
    })),
  };
}
