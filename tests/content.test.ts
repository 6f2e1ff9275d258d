import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModels } from '../pipeline/content.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-content-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(files: Record<string, string>): Promise<void> {
  await mkdir(join(folder, 'models'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'models', name), text);
}
const model = (weights: string): string => JSON.stringify({ title: 'T', weights });

describe('readModels', () => {
  it('reads every model in the order of the slugs, weights relative to the file', async () => {
    await write({ 'b.json': model('../weights/b.keras'), 'a.json': model('a.onnx'), 'notes.txt': '' });
    const models = await readModels(folder);
    expect(models.map(({ slug }) => slug)).toEqual(['a', 'b']);
    expect(models.map(({ weightsFile }) => weightsFile)).toEqual([
      join(folder, 'models/a.onnx'),
      join(folder, 'weights/b.keras'),
    ]);
    expect(models[0]?.content.recipe).toBe('phosphene');
  });

  it('reads only the models that are asked for: what is wrong with another one does not matter', async () => {
    await write({ 'a.json': model('a.onnx'), 'b.json': '{' });
    expect((await readModels(folder, ['a'])).map(({ slug }) => slug)).toEqual(['a']);
  });

  it.each<[string, Record<string, string>, string[], RegExp]>([
    [
      'an unknown model',
      { 'mnist.json': model('a') },
      ['minst'],
      /^There is no model 'minst' in .*; did you mean 'mnist'\?$/,
    ],
    ['a folder without models', {}, [], /^Expected at least one <model>\.json in /],
    ['a broken file', { 'a.json': '{"title": ' }, [], /models\/a\.json: expected JSON, found a mistake/],
    [
      'an unknown field',
      { 'a.json': '{"title": "T", "weight": "x"}' },
      [],
      /models\/a\.json: unknown field 'weight'; did you mean 'weights'\?$/,
    ],
    [
      'a name that is no address',
      { 'My Model.json': model('a') },
      [],
      /My Model\.json: the file's name becomes the model's address/,
    ],
  ])('refuses %s with exit code 2', async (_, files, slugs, message) => {
    await write(files);
    await expect(readModels(folder, slugs)).rejects.toMatchObject({
      name: 'PhospheneError',
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });

  it('refuses a folder that does not exist', async () => {
    await expect(readModels(join(folder, 'none'))).rejects.toThrow(
      /^Expected a folder with the models' JSON files at /,
    );
  });
});
