import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelPlan } from '../pipeline/plan.ts';
import { shardOf } from '../pipeline/shard.ts';
import { quickContent, run } from './cli/run.ts';

/** A plan with so many units a layer, and nothing else. */
const planOf = (...counts: number[]): ModelPlan =>
  ({
    slug: 'some',
    layers: counts.map((count, layer) => ({
      slug: `layer${layer}`,
      units: Array.from({ length: count }, (_, unit) => ({ unit })),
    })),
  }) as unknown as ModelPlan;

const unitsOf = (plans: readonly ModelPlan[]): string[] =>
  plans.flatMap(({ layers }) =>
    layers.flatMap(({ slug, units }) => units.map(({ unit }) => `${slug} ${unit}`)),
  );

describe('shards', () => {
  it('share every unit out once, and hold as many but for one', () => {
    const plans = [planOf(10, 1, 7), planOf(3)];
    const shards = [1, 2, 3, 4].map((index) => unitsOf(shardOf(plans, { index, of: 4 })));
    expect(shards.flat().sort()).toEqual(unitsOf(plans).sort());
    expect(shards.map(({ length }) => length)).toEqual([6, 5, 5, 5]);
  });

  it('leave out layers of which they have no unit', () => {
    const [plan] = shardOf([planOf(2, 1)], { index: 3, of: 3 });
    expect(plan?.layers.map(({ slug }) => slug)).toEqual(['layer1']);
    expect(shardOf([planOf(1)], { index: 2, of: 2 })[0]?.layers).toEqual([]);
  });
});

describe('four shards in four processes', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phosphene-shard-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Every file of a store with what is in it, without what differs from run to run. */
  async function contentOf(store: string): Promise<Record<string, string>> {
    const names = (await readdir(join(folder, store), { recursive: true })).filter((name) =>
      /\.\w+$/.test(name),
    );
    const files = names.sort().map(async (name): Promise<[string, string]> => {
      const bytes = await readFile(join(folder, store, name));
      if (!name.endsWith('.json')) return [name, createHash('sha256').update(bytes).digest('hex')];
      const { seconds, renderedAt, sha256, ...rest } = JSON.parse(bytes.toString());
      return [name, JSON.stringify(rest)];
    });
    return Object.fromEntries(await Promise.all(files));
  }

  it('make what one run makes, once their stores are joined by export and import', async () => {
    const content = await quickContent(folder);
    const render = ['render', 'mnist', '--content', content, '--json'];
    const shards = [1, 2, 3, 4];
    const runs = shards.map((index) =>
      run([...render, '--shard', `${index}/4`, '--store', `part${index}`, '--batch', String(index)], folder),
    );
    const totals = (await Promise.all(runs)).map(({ stdout }) => JSON.parse(stdout).units);
    const whole = JSON.parse((await run([...render, '--store', 'whole'], folder)).stdout).units;
    expect(totals.reduce((sum, { rendered }) => sum + rendered, 0)).toBe(whole.rendered);
    expect(Math.max(...totals.map(({ total }) => total)) * 4).toBeLessThan(whole.total + 4);
    for (const index of shards) {
      const file = `part${index}.tar`;
      expect(await run(['export', file, '--store', `part${index}`], folder)).toMatchObject({ code: 0 });
      expect(await run(['import', file, '--store', 'joined'], folder)).toMatchObject({ code: 0 });
    }
    expect(await contentOf('joined')).toEqual(await contentOf('whole'));
  });
});
