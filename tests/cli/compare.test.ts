import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HtmlValidate } from 'html-validate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickContent, run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-compare-'));
  await quickContent(folder, { title: 'MNIST <b>', layers: ['conv2d_1', 'dense_3'] });
  await writeFile(
    join(folder, 'mine.json'),
    JSON.stringify({ preset: 'mnist-filters', name: 'mine', steps: 5 }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const args = [
  ...['compare', 'mnist', '--units', '0-1', '--steps', '4'],
  ...['--recipes', 'mnist-filters,tence-vgg16,./mine.json'],
];

describe('phosphene compare', () => {
  it('renders each recipe once and writes one sheet that says what it found', async () => {
    const { code, stdout } = await run([...args, '--json', '--out', 'new/sheet.html'], folder);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toEqual({
      model: 'mnist',
      out: 'new/sheet.html',
      seed: 0,
      engine: 'cpu',
      device: expect.any(String),
      seconds: expect.any(Number),
      // --steps makes the third recipe the first one, by another name; the second has a row for the scores alone.
      pictures: { total: 10, fresh: 4, rendered: 6, failed: 0, seconds: expect.any(Number) },
      recipes: ['mnist-filters', 'tence-vgg16', './mine.json'],
      layers: [
        { layer: 'conv2d_1', recipes: expect.any(Array), units: expect.any(Array) },
        { layer: 'dense_3', recipes: expect.any(Array), units: expect.any(Array) },
      ],
    });
    const [filters, scores] = document.layers;
    expect(filters.recipes[1]).toEqual({
      recipe: 'tence-vgg16',
      reason: 'tence-vgg16 is a table of recipes by layers, and has none for conv2d_1.',
    });
    expect(filters.recipes[2]).toEqual({ ...filters.recipes[0], recipe: './mine.json' });
    expect(filters.recipes[0].means).toMatchObject({ units: 2, timesFirst: 1, probability: null });
    expect(scores.recipes[1].means).toMatchObject({ units: 2, probability: expect.any(Number) });
    expect(scores.units.map(({ unit, label }: { unit: number; label: string }) => [unit, label])).toEqual([
      [0, 'zero'],
      [1, 'one'],
    ]);
    expect(scores.units[0].pictures[1]).toMatchObject({
      recipe: 'tence-vgg16',
      kind: 'picture',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      measures: { equalContrastActivation: expect.any(Number), harshShare: expect.any(Number) },
      seconds: expect.any(Number),
    });

    const page = await readFile(join(folder, 'new/sheet.html'), 'utf8');
    expect(page.match(/src="data:image\/webp;base64,[A-Za-z0-9+/=]{40,}"/g)).toHaveLength(10);
    expect(page).toContain('<h1>MNIST &lt;b&gt;</h1>');
    const validator = new HtmlValidate({ extends: ['html-validate:recommended', 'html-validate:a11y'] });
    const { results } = await validator.validateString(page, {
      rules: { 'long-title': 'off', 'prefer-native-element': 'off' },
    });
    expect(results).toEqual([]);
  });

  it('renders nothing again, and shows people a table', async () => {
    const { code, stdout } = await run(args, folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^conv2d_1 +at equal contrast +times mnist-filters +kept +harsh +seconds$/m);
    expect(stdout).toMatch(/^tence-vgg16 +no row for this layer$/m);
    expect(stdout).toMatch(
      /^0 pictures rendered in .*, 10 in the store already; compare\.html shows them\.$/m,
    );
  });

  it.each([
    [['--recipes', 'phosphene,lucit'], /there is no recipe 'lucit'; did you mean 'lucid'\?/],
    [['--recipes', './none.json'], /--recipes: expected a recipe's name .* found no file \.\/none\.json/],
    [
      ['--recipes', 'tence-vgg16', '--layers', 'conv2d_1'],
      /--recipes: expected a recipe for 'conv2d_1', found only tables for other layers/,
    ],
    [['--units', '40', '--layers', 'dense_3'], /Expected --units to name units of 'dense_3' \(0 to 9\)/],
    [['--layers', 'conv9'], /--layers: 'mnist' has no layer 'conv9'/],
  ])('%j ends with 2 and one line', async (wrong, line) => {
    const ended = await run(['compare', 'mnist', ...wrong], folder);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(line);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('refuses a sheet that nobody could look at before it renders', async () => {
    const recipes = 'phosphene,lucid,mnist-filters,mnist-digits,keras-blog,wake,small-net';
    const { code, stderr } = await run(
      ['compare', 'mnist', '--layers', 'conv2d*,dense*', '--units', '0-999', '--recipes', recipes],
      folder,
    );
    expect(code).toBe(2);
    // 32 + 32 + 64 + 64 filters, 256 + 128 neurons, 10 classes, by seven recipes.
    expect(stderr).toMatch(/contact sheet of at most 2,000 pictures, found 4,102: choose fewer units/);
  });
});
