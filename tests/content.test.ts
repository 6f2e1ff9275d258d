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
    expect(models.map(({ weights }) => weights)).toEqual([
      join(folder, 'models/a.onnx'),
      join(folder, 'weights/b.keras'),
    ]);
    expect(models[0]?.content.recipe).toBe('phosphene');
  });

  it('reads only the models that are asked for: what is wrong with another one does not matter', async () => {
    await write({ 'a.json': model('a.onnx'), 'b.json': '{' });
    expect((await readModels(folder, ['a'])).map(({ slug }) => slug)).toEqual(['a']);
  });

  it('takes a file to be kept, or several with their layers, as they stand there', async () => {
    const checksum = `md5:${'0'.repeat(32)}`;
    const fetched = { file: 'w.h5', url: 'https://example.org/w.h5', bytes: 3, checksum };
    const several = [{ ...fetched, layers: ['conv'] }];
    await write({
      'a.json': JSON.stringify({ title: 'A', weights: { file: 'a.onnx' } }),
      'b.json': JSON.stringify({ title: 'B', weights: fetched }),
      'c.json': JSON.stringify({ title: 'C', weights: several }),
    });
    expect((await readModels(folder)).map(({ weights }) => weights)).toEqual([
      [{ file: 'a.onnx' }],
      [fetched],
      several,
    ]);
  });

  it.each([
    ['a list', ['zero', 'one']],
    ['a text file, one a line', '../names.txt'],
  ])('takes the names of the classes from %s', async (_, classes) => {
    await write({ 'a.json': JSON.stringify({ title: 'T', weights: 'a', classes }) });
    await writeFile(join(folder, 'names.txt'), '\uFEFFzero\r\none\n\n');
    expect((await readModels(folder))[0]?.content.classes).toEqual(['zero', 'one']);
  });

  it.each<[string, Record<string, string>, string[], RegExp]>([
    [
      'a download whose checksum nobody knows',
      { 'a.json': '{"title": "T", "weights": {"file": "w", "url": "https://example.org/w", "bytes": 1}}' },
      [],
      /models\/a\.json: 'weights\.checksum' is missing, expected the checksum of what `url` gives$/,
    ],
    [
      'a file to be kept outside its folder',
      { 'a.json': '{"title": "T", "weights": {"file": "../w"}}' },
      [],
      /models\/a\.json: 'weights\.file' must be text that matches .*, found "\.\.\/w"$/,
    ],
    [
      'a download from anywhere but the web',
      {
        'a.json': JSON.stringify({
          title: 'T',
          weights: { file: 'w', url: 'file:///etc/passwd', bytes: 1, checksum: `md5:${'0'.repeat(32)}` },
        }),
      },
      [],
      /models\/a\.json: 'weights\.url' must be .*, found "file:\/\/\/etc\/passwd"/,
    ],
    [
      'names of classes in a file that is not there',
      { 'a.json': '{"title": "T", "weights": "w", "classes": "names.txt"}' },
      [],
      /models\/a\.json: 'classes' must be a list of names or a text file with one a line, found no file .*names\.txt/,
    ],
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
    [
      'the address of a page',
      { 'search.json': model('a') },
      [],
      /search\.json: the file's name becomes the model's address, and \/search is a page/,
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
