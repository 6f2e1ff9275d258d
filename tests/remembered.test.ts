import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { disk } from '../pipeline/files.ts';
import { Remembered } from '../pipeline/remembered.ts';

let folder: string;
let model: string;
let remembered: Remembered;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-remembered-'));
  model = join(folder, 'model.h5');
  await writeFile(model, 'weights');
  await setTimeout(20);
  remembered = new Remembered(join(folder, 'notes'), disk, 10);
});
afterEach(() => rm(folder, { recursive: true }));

const list = z.array(z.string());
const asked = { units: [1, 2] };
const keep = () => remembered.keep('net', asked, [model], ['a', 'b']);

describe('what was worked out of a model file', () => {
  it('is remembered as long as the same is asked of the same file', async () => {
    expect(await remembered.recall('net', asked, list)).toBeUndefined();
    await keep();
    expect(await remembered.recall('net', asked, list)).toEqual(['a', 'b']);
    expect(await new Remembered(join(folder, 'notes')).recall('net', asked, list)).toEqual(['a', 'b']);
    expect(await remembered.recall('other', asked, list)).toBeUndefined();
    expect(await remembered.recall('net', { units: [1] }, list)).toBeUndefined();
    expect(await remembered.recall('net', asked, z.string())).toBeUndefined();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['written again with the same bytes', () => writeFile(model, 'weights')],
    ['as long as before, with other bytes', () => writeFile(model, 'WEIGHTS')],
    [
      'another one put in its place',
      async () => {
        await writeFile(`${model}.new`, 'weights');
        await rename(`${model}.new`, model);
      },
    ],
    ['gone', () => rm(model)],
  ])('is forgotten when the file is %s', async (_, change) => {
    await keep();
    await change();
    expect(await remembered.recall('net', asked, list)).toBeUndefined();
  });

  it('is not kept of a file that changed a moment ago, which may change again unseen', async () => {
    const careful = new Remembered(join(folder, 'notes'), disk, 60_000);
    await careful.keep('net', asked, [model], ['a']);
    expect(await disk.names(join(folder, 'notes'))).toEqual([]);
  });

  it('is not kept of a file that changed while it was read, however long ago that is', async () => {
    await writeFile(model, 'other weights');
    await setTimeout(30);
    await keep();
    expect(await remembered.recall('net', asked, list)).toBeUndefined();
  });

  it('is forgotten where a byte of it changed', async () => {
    await keep();
    const [name = ''] = await readdir(join(folder, 'notes'));
    const path = join(folder, 'notes', name);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"b"', '"c"'));
    expect(await remembered.recall('net', asked, list)).toBeUndefined();
    await writeFile(path, text.slice(0, -9));
    expect(await remembered.recall('net', asked, list)).toBeUndefined();
  });

  it('is done without where it cannot be kept', async () => {
    const full = { ...disk, write: () => Promise.reject(new Error('no space')) };
    await new Remembered(join(folder, 'notes'), full, 10).keep('net', asked, [model], ['a']);
    expect(await remembered.recall('net', asked, list)).toBeUndefined();
  });
});
