import { describe, expect, it } from 'vitest';
import type { Layer } from '../../pipeline/network/network.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { type Budget, type SearchEffects, search } from '../../pipeline/search/search.ts';
import type { Point } from '../../pipeline/search/space.ts';
import type { Cell, Column } from '../../pipeline/sheet/column.ts';
import { measured } from '../sheet/measured.ts';

const layer: Layer = { name: 'a', kind: 'conv', units: 2 } as Layer;
const rows = [{ layer, units: [{ unit: 0 }, { unit: 1 }] }];
const limits = { maxHarsh: 0.05, minKept: 0.93 };

/** A column in which both units answer with this. */
function column(activation: number): Column {
  const cell: Cell = {
    kind: 'picture',
    fingerprint: 'f',
    ...measured({ equalContrastActivation: activation }),
  };
  return {
    layers: new Map([
      ['a', { recipe: resolveRecipe('lucid', 'test'), cells: new Map([0, 1].map((unit) => [unit, cell])) }],
    ]),
    summary: {
      units: { total: 2, fresh: 0, rendered: 2, failed: 0 },
      ...{ seconds: 1, engine: 'none', device: 'none', failures: [] },
    },
  };
}

function* ever(): Generator<Point> {
  for (let value = 1; ; value++) yield { value };
}

/** A search in which each rendering takes so many milliseconds. */
async function tried(
  budget: Budget,
  {
    takesMs = 1000,
    points = ever(),
    ...changes
  }: Partial<SearchEffects> & { takesMs?: number; points?: Iterable<Point> } = {},
) {
  let clockMs = 0;
  const events: number[] = [];
  const result = await search(rows, points, limits, budget, {
    render: async (point) => {
      clockMs += takesMs;
      return column(Number(point['value'] ?? 0) + 1);
    },
    signal: new AbortController().signal,
    emit: ({ trial }) => void events.push(trial),
    now: () => clockMs,
    ...changes,
  });
  return { ...result, clockMs, events, scores: result.trials.map(({ score }) => score.score?.toFixed(3)) };
}

describe('search', () => {
  it('tries the base, then as many as are wanted, each held against the base', async () => {
    const found = await tried({ trials: 3 });
    expect(found.ended).toBe('trials');
    expect(found.events).toEqual([0, 1, 2, 3]);
    expect(found.scores).toEqual(['1.000', '2.000', '3.000', '4.000']);
    expect(found.trials.map(({ point }) => point)).toEqual([{}, { value: 1 }, { value: 2 }, { value: 3 }]);
  });

  it('keeps to its time: it begins nothing that would end later, but always renders the base', async () => {
    const found = await tried({ seconds: 5.5 });
    expect(found).toMatchObject({ ended: 'time', clockMs: 5000 });
    expect(found.trials).toHaveLength(5);
    expect((await tried({ seconds: 0.1 })).events).toEqual([0]);
    expect((await tried({ seconds: 60, trials: 1 })).ended).toBe('trials');
  });

  it('ends where there is nothing more to try', async () => {
    const found = await tried({ trials: 9 }, { points: [{ value: 4 }] });
    expect([found.ended, found.scores]).toEqual(['exhausted', ['1.000', '5.000']]);
  });

  it('stops when it is asked to, and drops the trial that was not finished', async () => {
    const stop = new AbortController();
    const render = async ({ value = 0 }: Point): Promise<Column> => {
      if (value === 2) stop.abort();
      return column(Number(value) + 1);
    };
    const found = await tried({ trials: 9 }, { render, signal: stop.signal });
    expect([found.ended, found.scores]).toEqual(['interrupted', ['1.000', '2.000']]);
  });

  it('throws where not even the base was finished, or nothing in it answers', async () => {
    const stop = new AbortController();
    const render = async (): Promise<Column> => {
      stop.abort();
      return column(1);
    };
    await expect(tried({}, { render, signal: stop.signal })).rejects.toBe(stop.signal.reason);
    await expect(tried({ trials: 1 }, { render: async () => column(0) })).rejects.toThrow(
      'Expected pictures to hold others against, found none by the recipe as it is: no unit answers',
    );
  });
});
