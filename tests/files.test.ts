import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { disk } from '../pipeline/files.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'phosphene-files-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

it('makes a deep folder though many make it and its parents at once', async () => {
  const root = await folder();
  for (let round = 0; round < 20; round++) {
    const paths = Array.from({ length: 16 }, (_, index) => join(root, `${round}`, 'a', 'b', `${index % 4}`));
    await Promise.all(paths.map((path) => disk.makeFolder(path)));
    for (const path of paths) expect((await stat(path)).isDirectory()).toBe(true);
  }
});

it('refuses where a file stands in the way', async () => {
  const root = await folder();
  await writeFile(join(root, 'file'), '');
  await expect(disk.makeFolder(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(disk.makeFolder(join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

it('gives up where a folder refuses to hold another', async () => {
  await expect(disk.makeFolder('/proc/phosphene/below')).rejects.toMatchObject({ code: 'ENOENT' });
});
