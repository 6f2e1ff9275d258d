import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { project, quickContent, run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-status-'));
  await quickContent(folder);
});
afterAll(() => rm(folder, { recursive: true }));

it('status tells what is fresh, missing and stale, and no batch and no file name makes a unit stale', async () => {
  expect((await run(['render', '--units', '0-3', '--batch', '1'], folder)).code).toBe(0);
  await cp(join(project, 'content/weights/mnist.keras'), join(folder, 'renamed.h5'));
  const layers = ['conv2d_1', 'dense_3'];
  const content = {
    title: 'M',
    weights: '../../renamed.h5',
    layers,
    recipe: { preset: 'mnist-filters', steps: 3 },
  };
  await writeFile(join(folder, 'content/models/mnist.json'), JSON.stringify(content));
  const again = await run(['render', '--units', '0-3', '--batch', '4', '--json'], folder);
  expect(JSON.parse(again.stdout).units).toEqual({ total: 8, fresh: 8, rendered: 0, failed: 0 });

  await writeFile(
    join(folder, 'content/models/mnist.json'),
    JSON.stringify({ ...content, recipes: { dense_3: { preset: 'mnist-filters', steps: 4 } } }),
  );
  const ended = await run(['status', '--json'], folder);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(ended.stdout)).toEqual({
    models: [
      {
        model: 'mnist',
        layers: [
          {
            name: 'conv2d_1',
            units: 32,
            fresh: 4,
            missing: 28,
            stale: 0,
            reasons: [],
            seconds: expect.any(Number),
            measuredAt: 'conv2d_1',
          },
          {
            name: 'dense_3',
            units: 10,
            fresh: 0,
            missing: 6,
            stale: 4,
            reasons: [{ fields: ['recipe', 'frames'], units: 4 }],
            seconds: expect.any(Number),
            measuredAt: 'dense_3',
          },
        ],
      },
    ],
    units: { total: 42, fresh: 4, missing: 34, stale: 4 },
    seconds: expect.any(Number),
  });
  const people = await run(['status', 'mnist'], folder);
  expect(people.stdout).toMatch(/^mnist +dense_3 +10 +0 +6 +4 +about /m);
  expect(people.stdout).toMatch(/^mnist +dense_3 +4 +recipe, frame steps$/m);
  expect(people.stdout).toMatch(/^38 of 42 units to render, about .* by what earlier ones took\.$/m);
});

it('status of a model that there is none of is one sentence', async () => {
  const ended = await run(['status', 'minst'], folder);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toMatch(/^phosphene: There is no model 'minst' in content\/models; .*mnist/);
});
