import { describe, expect, it } from 'vitest';
import type { Engine, Program } from '../pipeline/engine/engine.ts';
import { cpuEngine } from '../pipeline/engine/onnxruntime.ts';
import type { Layer } from '../pipeline/network/network.ts';
import type { LayerPlan, ModelPlan, UnitPlan } from '../pipeline/plan.ts';
import { resolveRecipe } from '../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../pipeline/recipe/scaling.ts';
import { type RenderEvent, renderModels } from '../pipeline/render.ts';
import type { Claims } from '../pipeline/store/claims.ts';
import { MemoryStore } from '../pipeline/store/memory.ts';
import { tinyNetwork } from './ascent/tiny.ts';

const network = tinyNetwork();
const layer = network.layers[0] as Layer;

function planOf(units: readonly number[]): ModelPlan {
  const layerPlan: LayerPlan = {
    layer,
    slug: 'a',
    index: 0,
    recipe: resolveRecipe({ preset: 'keras-blog', steps: 2 }, 'test'),
    size: { channels: 1, height: 12, width: 12 },
    units: units.map((unit) => ({ unit, fingerprint: `${unit}`, madeFrom: {} }) as unknown as UnitPlan),
  };
  const scaling = resolveScaling('0..1', 1);
  return { slug: 'tiny', network, scaling, seed: 0, layers: [layerPlan] } as unknown as ModelPlan;
}

/** An engine whose programs fail where a feed holds this bias; with `alone` false, not where it is the only one. */
function failingAt(biases: readonly number[], alone = true): Engine {
  const engine = cpuEngine();
  const watched = (program: Program): Program => ({
    release: () => program.release(),
    async run(feeds) {
      const bias = [...feeds].find(([name]) => name.includes('a/w') && name.endsWith('_2'))?.[1];
      const values = bias === undefined ? [] : [...((await engine.download(bias)).data as Float32Array)];
      const isMeant = values.some((value) => biases.includes(value));
      if (isMeant && (alone || new Set(values).size > 1)) throw new Error('no luck');
      return program.run(feeds);
    },
  });
  return { ...engine, compile: async (...given) => watched(await engine.compile(...given)) };
}

const biasOf = (unit: number): number => network.graph.initializers.get('a/w_2')?.data[unit] as number;

async function render(engine: Engine, batch: number, claims?: Claims) {
  const events: RenderEvent[] = [];
  const effects = {
    engine,
    ...(claims === undefined ? {} : { claims }),
    store: new MemoryStore(),
    signal: new AbortController().signal,
    emit: (event: RenderEvent) => void events.push(event),
  };
  const summary = await renderModels([planOf([0, 1, 2, 3, 4, 5])], { batch }, effects);
  return { summary, events };
}

describe('a unit that fails', () => {
  it('is tried again alone, reported, and the others are rendered', async () => {
    const { summary } = await render(failingAt([biasOf(2)]), 3);
    expect(summary.units).toMatchObject({ rendered: 5, failed: 1 });
    expect(summary.failures).toEqual([{ model: 'tiny', layer: 'a', unit: 2, error: 'no luck' }]);
  });

  it('is rendered where it only failed beside others', async () => {
    const { summary } = await render(failingAt([biasOf(1)], false), 2);
    expect(summary.units).toMatchObject({ rendered: 6, failed: 0 });
  });

  it('is the first of all where its layer cannot be rendered, and the rest is not tried', async () => {
    let compiled = 0;
    const engine: Engine = {
      ...cpuEngine(),
      compile: async () => {
        compiled++;
        throw new Error('no such operation');
      },
    };
    const { summary } = await render(engine, 2);
    expect(summary.units).toMatchObject({ rendered: 0, failed: 6 });
    expect(compiled).toBe(3);
  });

  it('counts as work that is done, which grows to its total and never shrinks', async () => {
    const { events } = await render(failingAt([biasOf(5)]), 4);
    const worked = events.flatMap((event) => (event.kind === 'worked' ? [event] : []));
    const done = worked.map((event) => event.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.at(-1)).toBeCloseTo(worked[0]?.total ?? 0, 3);
    expect(worked[0]?.done).toBeLessThan(worked[0]?.total ?? 0);
  });
});

describe('a layer', () => {
  /** Lets so many units be taken at a time. */
  function claimsOf(most: number): Claims {
    const held = new Set<string>();
    return {
      take: async (fingerprint) => held.size < most && held.add(fingerprint).has(fingerprint),
      release: async (fingerprint) => void held.delete(fingerprint),
      close: async () => {},
    };
  }

  it('is compiled once for all shares of its units, again only after a silent one was waked, and released', async () => {
    const counted = { compiled: 0, released: 0, live: 0, most: 0 };
    const cpu = cpuEngine();
    const engine: Engine = {
      ...cpu,
      host: cpu,
      compile: async (...given) => {
        counted.compiled++;
        counted.most = Math.max(counted.most, ++counted.live);
        const program = await cpu.compile(...given);
        return {
          run: program.run,
          release: async () => {
            counted.released++;
            counted.live--;
            await program.release();
          },
        };
      },
    };
    const whole = await render(engine, 2);
    const once = counted.compiled;
    expect(whole.summary.units).toMatchObject({ rendered: 6, failed: 0 });
    const shared = await render(engine, 2, claimsOf(2));
    expect(shared.events.filter(({ kind }) => kind === 'layer')).toHaveLength(3);
    expect(shared.summary.units).toMatchObject({ rendered: 6, failed: 0 });
    expect(counted).toEqual({ compiled: 2 * once + 1, released: 2 * once + 1, live: 0, most: once - 1 });
  });
});
