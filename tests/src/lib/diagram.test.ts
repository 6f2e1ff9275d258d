import { describe, expect, it } from 'vitest';
import type { LayerSummary } from '../../../content/schema.ts';
import { drawn, sharedStart, stagesOf } from '../../../src/lib/diagram.ts';

function layer(slug: string, inputs?: string[], changes: Partial<LayerSummary> = {}): LayerSummary {
  return {
    slug,
    name: slug,
    kind: 'conv',
    index: 0,
    units: 8,
    published: 8,
    dead: 0,
    picture: { heightPx: 64, widthPx: 64 },
    output: [8, 32, 32],
    receptiveFieldPx: 3,
    samples: [],
    ...(inputs === undefined ? {} : { inputs }),
    ...changes,
  };
}
const shape = (layers: LayerSummary[]): string[] =>
  stagesOf(layers).map(({ branches }) =>
    branches.map((branch) => branch.map(({ slug }) => slug).join('>')).join(' | '),
  );

describe('the stages of a network', () => {
  it('are one chain where nothing forks', () => {
    expect(shape([layer('a', []), layer('b', ['a']), layer('c', ['b'])])).toEqual(['a>b>c']);
  });

  it('are a chain where the gallery does not say what lies before a layer', () => {
    expect(shape([layer('a'), layer('b'), layer('c')])).toEqual(['a>b>c']);
  });

  it('put the branches of an inception module side by side, and the next module after them', () => {
    const layers = [
      layer('stem', []),
      layer('1x1', ['stem']),
      layer('3x3r', ['stem']),
      layer('3x3', ['3x3r']),
      layer('pool', ['stem']),
      layer('next1x1', ['1x1', '3x3', 'pool']),
      layer('next3x3', ['1x1', '3x3', 'pool']),
      layer('scores', ['next1x1', 'next3x3']),
    ];
    expect(shape(layers)).toEqual(['stem', '1x1 | 3x3r>3x3 | pool', 'next1x1 | next3x3', 'scores']);
  });

  it('hold every layer once', () => {
    const layers = [layer('a', []), layer('b', ['a']), layer('c', ['a', 'b']), layer('d', ['c', 'a'])];
    const slugs = stagesOf(layers).flatMap(({ branches }) => branches.flat().map(({ slug }) => slug));
    expect(slugs.sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('a layer to scale', () => {
  it('is as wide as its share of the most channels, as high as its map is fine', () => {
    const wide = layer('wide', [], { units: 32, output: [32, 16, 16] });
    const narrow = layer('narrow', []);
    expect(drawn(narrow, [wide, narrow])).toEqual({ width: 0.25, height: 0.5 });
    expect(drawn(wide, [wide, narrow])).toEqual({ width: 1, height: 0.25 });
    expect(drawn(layer('dense', [], { output: [8] }), [narrow]).height).toBe(0);
  });

  it('is a line no wider than the widest map where it has none, so that thousands of neurons dwarf no map', () => {
    const dense = layer('dense', [], { units: 4096, output: [4096] });
    expect(drawn(layer('a'), [layer('a'), dense])).toEqual({ width: 1, height: 0.5 });
    expect(drawn(dense, [layer('a'), dense])).toEqual({ width: 1, height: 0 });
  });
});

describe('what the names of a stage have in common', () => {
  it.each([
    [['inception_3a/1x1', 'inception_3a/3x3_reduce', 'inception_3a/3x3'], 'inception_3a/'],
    [['a/b/c', 'a/b/d', 'a/e'], 'a/'],
    [['a/b', 'a/'], ''],
    [['conv2d_1', 'conv2d_2'], ''],
    [['a/b', 'c/b'], ''],
    [['a/', 'a/b'], ''],
    [['/a', '/b'], '/'],
    [[], ''],
  ])('%j: %j', (names, start) => {
    expect(sharedStart(names)).toBe(start);
  });
});
