import { describe, expect, it } from 'vitest';
import { queryOf, unitFrom, unitsIn } from '../../../src/lib/reading-list.ts';

describe('a list of units', () => {
  it('comes back from its address, each unit once, in its order', () => {
    const units = ['b/l/2', 'a/l/10', 'm@1.0/x-y/0'];
    expect(unitsIn(queryOf(units))).toEqual(units);
    expect(unitsIn('?u=a/l/1&u=a/l/1')).toEqual(['a/l/1']);
  });

  it.each(['?u=//evil.example/1', '?u=../../x/1', '?u=a/l', '?u=a/l/x', '?u=<script>/l/1', '?u=a/l/1/2'])(
    'leaves out what is no unit: %s',
    (query) => {
      expect(unitsIn(query)).toEqual([]);
    },
  );

  it('takes no more than 64', () => {
    expect(unitsIn(queryOf(Array.from({ length: 99 }, (_, unit) => `a/l/${unit}`)))).toHaveLength(64);
  });

  it.each([
    ['mnist/dense_3/7', 'mnist/dense_3/7'],
    [' /gallery/mnist/dense_3/7/ ', 'mnist/dense_3/7'],
    ['https://x.org/gallery/mnist/dense_3/7/?a=1#b', 'mnist/dense_3/7'],
    ['https://x.org/gallery/mnist/dense_3/7/embed/', 'mnist/dense_3/7'],
    ['mnist', undefined],
  ])('takes %o for %o', (text, unit) => {
    expect(unitFrom(text, '/gallery/')).toBe(unit);
  });
});
