import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { galleryIndex, galleryLayer } from '../../content/schema.ts';
import { project, quickContent, run, start } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-cli-'));
  await quickContent(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const renderings = async (store: string): Promise<string[]> =>
  (await readdir(join(folder, store), { recursive: true }).catch(() => []))
    .filter((name) => name.endsWith('rendering.json'))
    .sort();

describe('phosphene', () => {
  it.each([
    [[], /Usage: phosphene .*[\s\S]*Commands:\n {2}render/],
    [['--help'], /Exit codes: 0 done, 1 failed, 2 .*, 130 interrupted\./],
    [['render', '--help'], /--units <numbers>[\s\S]*--dry-run[\s\S]*Examples:\n {2}phosphene render /],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
  ])('%j tells what it can do on stdout and ends with 0', async (args, text) => {
    const ended = await run(args, folder);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(text);
  });

  it('can be started by its name, as npx does: the file is executable and names its interpreter', async () => {
    const cli = join(project, 'pipeline/cli.ts');
    expect((await stat(cli)).mode & 0o111).toBe(0o111);
    expect((await readFile(cli, 'utf8')).split('\n')[0]).toBe('#!/usr/bin/env node');
    expect(JSON.parse(await readFile(join(project, 'package.json'), 'utf8')).bin).toEqual({
      phosphene: 'pipeline/cli.ts',
    });
  });
});

describe('phosphene inspect', () => {
  const file = join(project, 'content/weights/mnist.keras');

  it('--json prints one document with every layer', async () => {
    const ended = await run(['inspect', file, '--json'], folder);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const { layers, model, ...rest } = JSON.parse(ended.stdout);
    expect(model).toEqual({ slug: 'mnist', file: 'content/models/mnist.json', assumed: false });
    expect(rest).toEqual({
      file,
      format: 'keras-zip',
      input: { name: expect.any(String), layout: 'NCHW', channels: 1, height: 28, width: 28 },
    });
    expect(layers).toHaveLength(7);
    expect(layers[1]).toEqual({
      name: 'conv2d_2',
      slug: 'conv2d_2',
      kind: 'conv',
      units: 32,
      output: [32, 24, 24],
      receptiveField: 5,
      picture: [28, 28],
      renderable: true,
    });
    expect(layers[6]).toMatchObject({
      name: 'dense_3',
      kind: 'scores',
      units: 10,
      output: [10],
      receptiveField: null,
    });
  });

  it('shows people a table', async () => {
    const { stdout } = await run(['inspect', file], folder);
    expect(stdout).toContain('Input picture: 28 × 28 px, 1 channel, NCHW');
    expect(stdout).toMatch(/^conv2d_3 +conv +64 +64 × 10 × 10 +10 px +28 × 28 +yes$/m);
    expect(stdout).toMatch(/^dense_3 +scores +10 +10 +all +28 × 28 +yes$/m);
  });
});

describe('phosphene render and publish', () => {
  it('render, render again, publish, publish again: nothing is done twice', async () => {
    const dry = JSON.parse((await run(['render', '--dry-run', '--json'], folder)).stdout);
    expect(dry).toEqual({
      dryRun: true,
      units: { total: 42, fresh: 0, missing: 42, stale: 0 },
      seconds: null,
      models: [
        {
          model: 'mnist',
          layers: [
            { name: 'conv2d_1', units: 32, fresh: 0, missing: 32, stale: 0, reasons: [], seconds: null },
            { name: 'dense_3', units: 10, fresh: 0, missing: 10, stale: 0, reasons: [], seconds: null },
          ],
        },
      ],
    });
    expect(await renderings('.cache/store')).toEqual([]);

    const first = await run(['render', '--json', '--units', '0-7'], folder);
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual({
      units: { total: 16, fresh: 0, rendered: 16, failed: 0 },
      seconds: expect.any(Number),
      engine: 'cpu',
      device: expect.any(String),
      failures: [],
    });
    expect(await renderings('.cache/store')).toHaveLength(16);

    const rest = await run(['render', '--json'], folder);
    expect(JSON.parse(rest.stdout).units).toEqual({ total: 42, fresh: 16, rendered: 26, failed: 0 });
    expect(rest.stderr).toMatch(/^16 units of 42 in the store already$/m);

    const again = await run(['render'], folder);
    expect(again).toMatchObject({ code: 0, stdout: 'Nothing to render: all 42 units are in the store.\n' });

    const published = await run(['publish', '--json'], folder);
    expect(published.code).toBe(0);
    expect(JSON.parse(published.stdout)).toMatchObject({
      models: 1,
      layers: 2,
      units: { total: 42, published: 42, missing: 0, damaged: 0 },
      pictures: { encoded: 42, kept: 0 },
    });
    const index = galleryIndex.parse(
      JSON.parse(await readFile(join(folder, 'content/gallery/index.json'), 'utf8')),
    );
    expect(index.models[0]).toMatchObject({
      slug: 'mnist',
      format: 'keras-zip',
      // Kernels and biases: convolutions 320, 9 248, 18 496, 36 928; dense 1024 → 256, 256 → 128, 128 → 10.
      parameters: 320 + 9248 + 18496 + 36928 + 1025 * 256 + 257 * 128 + 129 * 10,
      input: { channels: 1, heightPx: 28, widthPx: 28, scaling: '0..1' },
      layers: [
        { slug: 'conv2d_1', index: 0, units: 32, published: 32, output: [32, 26, 26], receptiveFieldPx: 3 },
        { slug: 'dense_3', index: 6, units: 10, published: 10, output: [10], receptiveFieldPx: null },
      ],
    });
    const scores = galleryLayer.parse(
      JSON.parse(
        await readFile(join(folder, 'content/gallery', index.models[0]?.layers[1]?.file ?? ''), 'utf8'),
      ),
    );
    expect(scores.units.map(({ label }) => label).slice(0, 3)).toEqual(['zero', 'one', undefined]);
    expect(scores.units[0]?.strip.frames.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    expect(scores.units[0]?.objective.curve).toHaveLength(4);

    const twice = await run(['publish'], folder);
    expect(twice.stdout).toMatch(
      /^42 units published in .*, 0 encoded, 0 files written, 0 removed\.\n|marked as dead/,
    );
  });

  it('goes on after Ctrl-C where it was, and comes to the same pictures as without', async () => {
    const args = (store: string): string[] => [
      ...['render', '--json', '--store', store, '--layers', 'conv2d_1', '--units', '0-11'],
      ...['--recipe', 'mnist-filters', '--steps', '100', '--batch', '2'],
    ];
    const { child, ended } = start(args('stopped'), folder);
    while ((await renderings('stopped')).length === 0 && child.exitCode === null) await setTimeout(5);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    const { units } = JSON.parse(stdout);
    expect(code).toBe(130);
    expect(stderr).toMatch(/^Stopping; what is in the store stays/m);
    expect(units.rendered).toBeGreaterThan(0);
    expect(units.rendered).toBeLessThan(12);

    const next = JSON.parse((await run(args('stopped'), folder)).stdout);
    expect(next.units).toEqual({
      total: 12,
      fresh: units.rendered,
      rendered: 12 - units.rendered,
      failed: 0,
    });
    await run(args('whole'), folder);
    const files = await renderings('whole');
    expect(await renderings('stopped')).toEqual(files);
    for (const file of files) {
      const frames = file.replace('rendering.json', 'frames.png');
      const [one, other] = await Promise.all(
        ['stopped', 'whole'].map((store) => readFile(join(folder, store, frames))),
      );
      expect(one?.equals(other ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('asks which model --weights is for where there are two', async () => {
    const two = await mkdtemp(join(folder, 'two-'));
    await quickContent(two);
    await writeFile(
      join(two, 'content/models/other.json'),
      await readFile(join(two, 'content/models/mnist.json')),
    );
    const { code, stderr } = await run(['render', '--weights', 'x.keras'], two);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^phosphene: --weights is the file of one model, found 2 models: name the one/);
  });
});
