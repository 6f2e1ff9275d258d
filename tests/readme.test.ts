/** What the README tells people to do with a model of their own, done. */

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { galleryIndex, modelContent } from '../content/schema.ts';
import { encodeModel } from '../pipeline/network/onnx.ts';
import { colourGraph } from './ascent/colour.ts';

const project = join(import.meta.dirname, '..');
const readme = await readFile(join(project, 'README.md'), 'utf8');
const section = /^## Your own model\n([\s\S]*?)(?=^## )/m.exec(readme)?.[1] ?? '';
const blocks = (language: string): string[] =>
  [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );
const commands = blocks('sh').flatMap((block) =>
  block.split('\n').flatMap((line) => line.replace(/\s+#.*/, '').trim() || []),
);

/** A checkout that holds no model yet, and beside it flowers.onnx. */
let checkout: string;
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'phosphene-readme-'));
  const parts = ['package.json', 'astro.config.mjs', 'tsconfig.json', 'pipeline', 'src', 'content/schema.ts'];
  for (const part of [...parts, 'content/model.schema.json'])
    await cp(join(project, part), join(checkout, part), { recursive: true });
  await symlink(join(project, 'node_modules'), join(checkout, 'node_modules'));
  await writeFile(join(checkout, 'flowers.onnx'), encodeModel(colourGraph(16)));
});
afterAll(() => rm(checkout, { recursive: true }));

/** Runs a line of the README; the test runner's own environment stays out of it, and so do registries. */
async function run(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', line], {
    cwd: checkout,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_ENV: 'production',
      ASTRO_TELEMETRY_DISABLED: '1',
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    },
  });
  return stdout;
}

describe('the README on your own model', () => {
  it('has a command to inspect, one to render and one to publish', () => {
    expect(commands.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'npx phosphene inspect',
      'npx phosphene render',
      'npx phosphene publish',
    ]);
  });

  it('leads from a model file to its pages', async () => {
    const [inspect = '', render = '', publish = ''] = commands;
    expect(await run(inspect)).toMatch(/^conv2 +conv +5 .* yes$/m);
    expect(await run(render)).toMatch(/^15 units rendered in /m);
    const written: unknown = JSON.parse(
      await readFile(join(checkout, 'content/models/flowers.json'), 'utf8'),
    );
    expect(written).toMatchObject({ title: 'flowers', $schema: '../model.schema.json' });
    expect(modelContent.parse(written).weights).toBe('../../flowers.onnx');
    const kept = await readdir(join(checkout, '.cache/store'), { recursive: true });
    expect(kept.filter((name) => basename(name) === 'rendering.json')).toHaveLength(15);
    await run(publish);
    const index = galleryIndex.parse(
      JSON.parse(await readFile(join(checkout, 'content/gallery/index.json'), 'utf8')),
    );
    expect(index.models.map(({ slug }) => slug)).toEqual(['flowers']);
    for (const layer of ['conv1', 'conv2', 'classes']) {
      const page = await readFile(join(checkout, 'dist/flowers', layer, '3/index.html'), 'utf8');
      expect(page).toContain(layer);
      const picture = await sharp(join(checkout, 'dist/flowers', layer, '3.webp')).metadata();
      expect([picture.width, picture.height]).toEqual([16, 16]);
    }
  });

  it('has one command for what changed, which another run of it finds to be nothing', async () => {
    const { rendered, published, build } = JSON.parse(await run('npx phosphene rebuild --json'));
    expect(rendered.units).toEqual({ total: 15, fresh: 15, rendered: 0, failed: 0 });
    expect(published).toMatchObject({ units: { published: 15 }, files: { written: 0, removed: 0 } });
    expect(build.seconds).toBeGreaterThan(0);
  });

  it('shows a content file of ten lines that renders as it stands', async () => {
    const [content = ''] = blocks('json');
    expect(content.trim().split('\n').length).toBeLessThanOrEqual(10);
    await writeFile(join(checkout, 'content/models/flowers.json'), content);
    const { models } = JSON.parse(await run('npx phosphene render flowers --dry-run --json'));
    const stale = (name: string, units: number, ...fields: string[]) => ({
      name,
      units,
      stale: units,
      reasons: [{ fields, units }],
    });
    expect(models).toMatchObject([
      {
        model: 'flowers',
        layers: [
          stale('conv1', 6, 'scaling'),
          stale('conv2', 5, 'scaling'),
          stale('classes', 4, 'scaling', 'recipe', 'frames'),
        ],
      },
    ]);
  });
});
