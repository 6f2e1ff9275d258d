/**
 * What ten releases of a slowly changing model cost, against one: `node bench/releases.ts`. MNIST, of which ten of 586
 * units change from release to release, rendered, published and built below the system's folder for temporary files. A
 * line of JSON a gallery: bytes by kind of file, as they are sent to a host, and the seconds that the build took.
 */

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const project = resolve(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'phosphene-releases-'));

async function run(program: string, ...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [join(project, program), ...args], {
    cwd: program.startsWith('node_modules') ? project : folder,
    maxBuffer: 2 ** 26,
    env: {
      ...process.env,
      ASTRO_TELEMETRY_DISABLED: '1',
      PHOSPHENE_CONTENT: join(folder, 'content'),
      PHOSPHENE_PUBLIC: join(folder, 'public'),
      PHOSPHENE_OUT: join(folder, 'dist'),
      PHOSPHENE_CACHE: join(folder, 'cache'),
    },
  });
}

/** The model as it is in its n-th state: the units of one layer are others. */
function writeState(state: number): void {
  mkdirSync(join(folder, 'content/models'), { recursive: true });
  const content = {
    title: 'MNIST',
    weights: join(project, 'content/weights/mnist.keras'),
    input: { scaling: '0..1' },
    recipes: { dense_3: { preset: 'phosphene-ink', steps: 60 + state } },
  };
  writeFileSync(join(folder, 'content/models/mnist.json'), JSON.stringify(content));
}

/** Bytes below a folder by kind of file. */
async function bytesOf(where: string): Promise<Record<string, number>> {
  const bytes: Record<string, number> = {};
  for (const entry of await readdir(join(folder, where), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const kind = `${where}${extname(entry.name)}`;
    bytes[kind] = (bytes[kind] ?? 0) + (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

async function measure(releases: number): Promise<void> {
  await run('pipeline/cli.ts', 'publish', '--store', 'store');
  const startedAt = performance.now();
  await run('node_modules/astro/bin/astro.mjs', 'build', '--silent');
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const parts = await Promise.all(['content', 'public', 'store', 'dist'].map(bytesOf));
  const kinds = parts.flatMap((part) => Object.entries(part)).filter(([, bytes]) => bytes > 100_000);
  const megabytes = Object.fromEntries(
    kinds.map(([kind, bytes]) => [kind, Number((bytes / 1e6).toFixed(1))]),
  );
  const built = Object.values(parts[3] ?? {}).reduce((a, b) => a + b, 0);
  const all = { releases, buildSeconds: seconds, builtMB: Number((built / 1e6).toFixed(1)), megabytes };
  process.stdout.write(`${JSON.stringify(all)}\n`);
}

try {
  for (let state = 1; state <= 10; state++) {
    writeState(state);
    await run('pipeline/cli.ts', 'render', '--store', 'store');
    if (state === 1) await measure(0);
    await run('pipeline/cli.ts', 'release', `v${state}`, '--store', 'store');
    if (state === 1 || state === 10) await measure(state);
  }
} finally {
  await rm(folder, { recursive: true });
}
