/** Products of matrices: Y = A·B, so Ā = Ȳ·Bᵀ and B̄ = Aᵀ·Ȳ. */

import { float, floatOf, int, intOf, ints } from '../graph.ts';
import { unbroadcast } from './linear-map.ts';
import { type Rules, range, rule } from './rule.ts';

export const linear: Rules = {
  /** Also of stacks of matrices, which are broadcast. A vector is a matrix of one row (left) or one column (right). */
  MatMul: rule(({ build, g, node, dims, needs }) => {
    const [a = '', b = ''] = node.inputs;
    const aDims = dims(a).length === 1 ? [1, ...dims(a)] : dims(a);
    const bDims = dims(b).length === 1 ? [...dims(b), 1] : dims(b);
    const stack = (longer: readonly number[], shorter: readonly number[]): number[] =>
      longer.slice(0, -2).map((dim, i) => {
        const other = shorter[i - longer.length + shorter.length];
        return i >= longer.length - shorter.length && dim === 1 ? (other ?? 1) : dim;
      });
    const stacked = aDims.length >= bDims.length ? stack(aDims, bDims) : stack(bDims, aDims);
    const [rows = 1, columns = 1] = [aDims.at(-2), bDims.at(-1)];
    const as = (value: string, from: readonly number[], to: readonly number[]): string =>
      from.length === to.length ? value : build.add('Reshape', [value, build.shape(to)]);
    const transposed = (value: string, of: readonly number[]): string => {
      const rank = of.length;
      const perm = [...range(rank - 2), rank - 1, rank - 2];
      return build.add('Transpose', [value], { perm: ints(perm) });
    };
    const cotangent = as(g, dims(node.outputs[0] ?? ''), [...stacked, rows, columns]);
    const gradient = (left: string, right: string, of: string, ofDims: readonly number[]): string => {
      const [inner, outer] = ofDims.slice(-2) as [number, number];
      const product = build.add('MatMul', [left, right]);
      return as(unbroadcast(build, product, [...stacked, inner, outer], ofDims), ofDims, dims(of));
    };
    return [
      needs(0) ? gradient(cotangent, transposed(as(b, dims(b), bDims), bDims), a, aDims) : undefined,
      needs(1) ? gradient(transposed(as(a, dims(a), aDims), aDims), cotangent, b, bDims) : undefined,
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
