/** Products of matrices: Y = A·B, so Ā = Ȳ·Bᵀ and B̄ = Aᵀ·Ȳ. */

import { float, floatOf, int, intOf, ints } from '../graph.ts';
import { unbroadcast } from './linear-map.ts';
import { type Rules, range, rule } from './rule.ts';

export const linear: Rules = {
  /** Also of stacks of matrices, which are broadcast. A vector is a matrix of one row (left) or one column (right). */
  MatMul: rule(({ build, g, y, node, dims, needs }) => {
    const [a = '', b = ''] = node.inputs;
    const aMatrix = dims(a).length === 1 ? [1, ...dims(a)] : dims(a);
    const bMatrix = dims(b).length === 1 ? [...dims(b), 1] : dims(b);
    const ownAxes = Math.min(dims(a).length, 2) + Math.min(dims(b).length, 2) - 2;
    const stack = dims(y).slice(0, dims(y).length - ownAxes);
    const product = [...stack, aMatrix.at(-2) ?? 1, bMatrix.at(-1) ?? 1];

    const as = (value: string, from: readonly number[], to: readonly number[]): string =>
      from.length === to.length ? value : build.add('Reshape', [value, build.shape(to)]);
    const transposed = (value: string, matrix: readonly number[]): string => {
      const rank = matrix.length;
      const perm = ints([...range(rank - 2), rank - 1, rank - 2]);
      return build.add('Transpose', [as(value, dims(value), matrix)], { perm });
    };
    const cotangent = (left: string, right: string, value: string, matrix: readonly number[]): string => {
      const stacked = build.add('MatMul', [left, right]);
      const summed = unbroadcast(build, stacked, [...stack, ...matrix.slice(-2)], matrix);
      return as(summed, matrix, dims(value));
    };
    const ofProduct = as(g, dims(y), product);
    return [
      needs(0) ? cotangent(ofProduct, transposed(b, bMatrix), a, aMatrix) : undefined,
      needs(1) ? cotangent(transposed(a, aMatrix), ofProduct, b, bMatrix) : undefined,
    ];
  }),

  /** Y = α·A′·B′ + β·C, where A′ is A or its transpose. */
  Gemm: rule(({ build, f, g, y, node, dims, needs }) => {
    const [a = '', b = '', c = ''] = node.inputs;
    const transA = intOf(node, 'transA', 0);
    const transB = intOf(node, 'transB', 0);
    const product = (left: string, transLeft: number, right: string, transRight: number): string =>
      build.add('Gemm', [left, right], {
        alpha: float(floatOf(node, 'alpha', 1)),
        transA: int(transLeft),
        transB: int(transRight),
      });
    const forA = () => (transA ? product(b, transB, g, 1) : product(g, 0, b, 1 - transB));
    const forB = () => (transB ? product(g, 1, a, transA) : product(a, 1 - transA, g, 0));
    const forC = () => unbroadcast(build, f.mul(floatOf(node, 'beta', 1), g), dims(y), dims(c));
    return [forA, forB, forC].map((cotangent, index) => (needs(index) ? cotangent() : undefined));
  }),
};
