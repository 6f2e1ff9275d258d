/** Published recipes against the truth: pictures and objectives after so many steps, from a given start. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileOctaves } from '../../pipeline/ascent/octaves.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { type Float32Tensor, float32 } from '../../pipeline/network/graph.ts';
import { tensorFile } from '../formats/cases.ts';
import { climb, flipOf, folder, groups, load, own, rows } from './published.ts';

/** By plain convolutions: bounds on pictures after many steps are those of float32, which Winograd's way misses tenfold. */
const { convolutionTimes: _, ...engine } = cpuEngine();
/** Every convolution 3×3 by Winograd's way, whatever is faster. */
const byWinograd = { ...engine, convolutionTimes: async () => () => ({ plain: 1, winograd: 0, change: 0 }) };
const ways = { 'plain convolutions': engine, "Winograd's convolutions": byWinograd };

describe.skipIf(rows.length === 0)('published recipes (skipped without ../shared/fixtures/recipes)', () => {
  it('hold every group of fixtures', () => {
    const stored = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(Object.keys(groups).sort()).toEqual(stored.map(({ name }) => name).sort());
  });

  it.each(rows)(
    '$group at $layer: pictures and objectives to the stated tolerance',
    async ({ group, layer }) => {
      const { wanted, start, truth, spec, scale } = await load(group, layer);
      const octaves = await compileOctaves(spec, engine);
      const expected = new Map(
        wanted.steps.map((after) => [
          after,
          tensorFile(join(folder, group, layer, `step_${String(after).padStart(4, '0')}.pb`)),
        ]),
      );
      const largest = truth.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      let open = wanted.units.map((unit, index) => ({ unit, index }));
      let missed: string[] = [];
      for (let attempt = 0; attempt < starts && open.length > 0; attempt++) {
        const from = attempt === 0 ? start : nudged(start, attempt);
        const steps = Math.max(...wanted.steps);
        const ascent = { recipe: spec.recipe, octaves };
        const { pictures, curve } = await climb(ascent, engine, from, wanted.units, steps, scale);
        missed = [];
        open = open.filter(({ unit, index }) => {
          const misses: string[] = [];
          const ask = (what: string, miss: number, bound: number): void => {
            if (!(miss <= bound)) misses.push(`${what}, unit ${unit}: ${miss} above ${bound}`);
          };
          for (const [after, stored] of expected) {
            const picture = pictures[after] as Float32Tensor;
            expect(picture.dims, `size at step ${after}`).toEqual(stored.dims);
            const found = differences(own(picture, index), own(stored, index));
            for (const measure of ['max_abs', 'rms', 'median_abs'] as const) {
              const bound = wanted.tolerance[measure][after]?.[index] as number;
              const flip = flipOf(group, layer, unit, after)[measure];
              ask(`${measure} at step ${after}`, found[measure], flip ?? bound);
            }
          }
          for (const [after, bound] of Object.entries(wanted.tolerance.objective_relative_at_step)) {
            const value = truth.data[Number(after) * wanted.units.length + index] as number;
            const miss = Math.abs((curve[Number(after)]?.[index] as number) - value);
            const relative = miss / Math.max(Math.abs(value), 1e-6 * largest);
            ask(
              `objective at step ${after}`,
              relative,
              flipOf(group, layer, unit, Number(after)).objective ?? bound,
            );
          }
          missed.push(...misses);
          return misses.length > 0;
        });
      }
      expect(missed).toEqual([]);
    },
  );

  const stateless = rows.filter(({ group }) => groups[group]?.stateless);
  it.each(
    Object.keys(ways).flatMap((way) => stateless.map((row) => ({ ...row, way: way as keyof typeof ways }))),
  )(
    '$group at $layer: the objective of each stored picture, and of one update made from it, is the curve, by $way',
    async ({ group, layer, way }) => {
      const engine = ways[way];
      const { wanted, truth, spec } = await load(group, layer);
      const { recipe } = spec;
      const octaves = await compileOctaves(spec, engine);
      for (const after of wanted.steps.filter((step) => step < recipe.steps)) {
        const stored = tensorFile(join(folder, group, layer, `step_${String(after).padStart(4, '0')}.pb`));
        const { curve } = await climb({ recipe, octaves }, engine, stored, wanted.units, 1, undefined, after);
        wanted.units.forEach((unit, index) => {
          for (const later of [0, 1]) {
            const expected = truth.data[(after + later) * wanted.units.length + index] as number;
            const miss = Math.abs((curve[later]?.[index] as number) - expected);
            // 2e-5: ten times what PyTorch's float32 misses; of Winograd's way twice as much.
            expect(miss, `unit ${unit}, step ${after + later}`).toBeLessThanOrEqual(
              (engine === byWinograd ? 4e-5 : 2e-5) * Math.abs(expected),
            );
          }
        });
      }
    },
  );
});

/** The stored start, and starts moved by the last digit of float32: on which places rounding flips differs by processor. */
const starts = 4;
const nudged = ({ dims, data }: Float32Tensor, seed: number): Float32Tensor =>
  float32(
    dims,
    data.map((value, at) => value * (1 + 1e-7 * Math.sin(at * (seed + 1.3)))),
  );

function differences(
  got: Float32Array,
  expected: Float32Array,
): Record<'max_abs' | 'rms' | 'median_abs', number> {
  const misses = got.map((value, index) => Math.abs(value - (expected[index] as number))).sort();
  const squares = misses.reduce((sum, miss) => sum + miss * miss, 0);
  return {
    max_abs: misses.at(-1) as number,
    rms: Math.sqrt(squares / misses.length),
    median_abs: misses[Math.floor(misses.length / 2)] as number,
  };
}
