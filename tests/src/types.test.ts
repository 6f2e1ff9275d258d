/** What is in .astro files keeps to the same types as all else: each becomes TSX, as editors see it, and tsc reads that. */

import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { convertToTsx } from '@astrojs/astro2tsx';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = resolve('.');
const sources = globSync('src/**/*.astro');

let folder: string;
beforeEach(async () => {
  // Within the project, where its packages are found.
  await mkdir('.cache', { recursive: true });
  folder = await mkdtemp(join(root, '.cache/astro-types-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What tsc says of them, a line an error. */
async function errorsOf(change: (source: string, file: string) => string): Promise<string[]> {
  for (const file of sources) {
    const { code, diagnostics } = convertToTsx(change(await readFile(file, 'utf8'), file), {
      filename: file,
      ambientTypes: true,
    });
    if (diagnostics.length > 0) return diagnostics.map(({ message }) => `${file}: ${message}`);
    const path = join(folder, `${file}.tsx`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code);
  }
  const config = {
    extends: relative(folder, join(root, 'tsconfig.json')),
    compilerOptions: {
      module: 'esnext',
      moduleResolution: 'bundler',
      jsx: 'preserve',
      jsxImportSource: 'astro',
      // What a page imports lies beside it, or beside where it was.
      rootDirs: [relative(folder, root), '.'],
    },
    include: ['src/**/*.tsx', relative(folder, join(root, 'src/virtual.d.ts'))],
    exclude: [],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'];
  return promisify(execFile)(process.execPath, tsc).then(
    () => [],
    ({ stdout }: { stdout: string }) => stdout.trim().split('\n'),
  );
}

it('holds for every page, layout and component', async () => {
  expect(sources.length).toBeGreaterThan(40);
  expect(await errorsOf((source) => source)).toEqual([]);
});

it('does not hold where a component is given what it does not take', async () => {
  const errors = await errorsOf((source, file) =>
    file.endsWith('Architecture.astro') ? source.replace('layer={layer}', 'layer={3}') : source,
  );
  expect(errors.join('\n')).toMatch(/Architecture\.astro\.tsx\(\d+,\d+\): error TS2322: Type 'number'/);
});
