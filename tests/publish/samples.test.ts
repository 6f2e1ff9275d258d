import { describe, expect, it } from 'vitest';
import { recordOf } from '../../pipeline/publish/record.ts';
import { samplesOf } from '../../pipeline/publish/samples.ts';
import { rendering } from '../store/rendering.ts';

const units = (count: number) => Array.from({ length: count }, (_, unit) => recordOf(unit, rendering(unit)));
const chosen = (count: number, flat: readonly number[]) =>
  samplesOf(units(count), (unit) => (flat.includes(unit) ? 150 : 3000 + unit)).map(({ unit }) => unit);

describe('the units that stand for a layer', () => {
  it('are not those whose pictures show next to nothing, where these are few', () => {
    expect(chosen(8, [1, 6])).toEqual([0, 2, 3, 4, 5, 7]);
  });

  it('are those too where they are a third of the layer', () => {
    expect(chosen(6, [1, 4])).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('are all where all are alike, and none of none', () => {
    expect(chosen(3, [])).toEqual([0, 1, 2]);
    expect(chosen(0, [])).toEqual([]);
  });
});
