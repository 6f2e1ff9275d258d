import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withStartPicture } from '../../pipeline/picture/start-picture.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';

let folder = '';
let bytes = new Uint8Array();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'start-picture-'));
  // 8 × 4: red, then four columns of green in the middle, then blue.
  const colours = [
    [255, 0, 0],
    [255, 0, 0],
    ...new Array<number[]>(4).fill([0, 255, 0]),
    [0, 0, 255],
    [0, 0, 255],
  ];
  const data = Buffer.from(new Array<number[][]>(4).fill(colours).flat(2));
  bytes = await sharp(data, { raw: { width: 8, height: 4, channels: 3 } })
    .png()
    .toBuffer();
  await writeFile(join(folder, 'wide.png'), bytes);
  await writeFile(join(folder, 'text.png'), 'no picture');
});
afterAll(() => rm(folder, { recursive: true }));

const recipe = (start: object) =>
  resolveRecipe({ preset: 'wake', start: { kind: 'image', ...start } }, 'test');
const size = { channels: 3, height: 4, width: 4 };

describe('withStartPicture', () => {
  it('cuts the middle of a picture to the shape, and names the very file in the recipe', async () => {
    const started = await withStartPicture(recipe({ file: 'wide.png' }), folder, size);
    const area = new Array<number>(16);
    expect([...(started.startPicture?.data ?? [])]).toEqual([
      ...area.fill(0),
      ...new Array<number>(16).fill(255),
      ...area.fill(0),
    ]);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(started.recipe.start).toEqual({ kind: 'image', file: 'wide.png', sha256 });
    expect(await withStartPicture(started.recipe, folder, size)).toEqual(started);
  });

  it('is grey for a network of one channel', async () => {
    const { startPicture } = await withStartPicture(recipe({ file: 'wide.png' }), folder, {
      ...size,
      channels: 1,
    });
    expect(startPicture?.data).toHaveLength(16);
    expect(new Set(startPicture?.data).size).toBe(1);
  });

  it('leaves other recipes alone', async () => {
    const other = resolveRecipe('phosphene', 'test');
    expect(await withStartPicture(other, folder, size)).toEqual({ recipe: other });
  });

  it.each([
    [{ file: 'none.png' }, 'found none that can be read'],
    [{ file: 'text.png' }, 'found one that is no picture'],
    [{ file: 'wide.png', sha256: '0'.repeat(64) }, 'found another one than the recipe means: its sha256 is'],
  ])('refuses %j in one sentence', async (start, message) => {
    await expect(withStartPicture(recipe(start), folder, size)).rejects.toMatchObject({
      name: 'PhospheneError',
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });
});
