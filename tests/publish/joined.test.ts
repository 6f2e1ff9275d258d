import { expect, it } from 'vitest';
import type { LayerSummary } from '../../content/schema.ts';
import { joined } from '../../pipeline/publish/joined.ts';

function layer(slug: string, ...inputs: string[]): LayerSummary & { inputs: string[] } {
  return {
    slug,
    name: slug,
    kind: 'conv',
    index: 0,
    units: 1,
    published: 1,
    dead: 0,
    picture: { heightPx: 8, widthPx: 8 },
    output: [1, 8, 8],
    receptiveFieldPx: null,
    inputs,
    samples: [],
  };
}

it('takes the input of a layer from what lies before those that are not shown, through all of their branches', () => {
  const all = [
    layer('a'),
    layer('b1', 'a'),
    layer('b2', 'a'),
    layer('b3', 'b2'),
    layer('c', 'b1', 'b3'),
    layer('d', 'c'),
  ];
  const without = (...names: string[]) =>
    joined(
      all.filter(({ slug }) => !names.includes(slug)),
      all,
    ).map(({ slug, inputs = [] }) => [slug, ...inputs].join(' '));
  expect(without()).toEqual(['a', 'b1 a', 'b2 a', 'b3 b2', 'c b1 b3', 'd c']);
  expect(without('c')).toEqual(['a', 'b1 a', 'b2 a', 'b3 b2', 'd b1 b3']);
  expect(without('b1', 'b3', 'c')).toEqual(['a', 'b2 a', 'd a b2']);
  expect(without('a', 'b1', 'b2')).toEqual(['b3', 'c b3', 'd c']);
});
