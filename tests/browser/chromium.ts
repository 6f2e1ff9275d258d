/**
 * A Chromium for tests, the first of: PHOSPHENE_CHROMIUM, Playwright's own, the system's if it answers, and the one that
 * comes from the package registry and needs nothing of the system.
 */

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { chromiumNames, onPath } from '../../pipeline/probe/browser.ts';

interface Program {
  readonly path: string;
  readonly libraries?: string;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const answers = (program: string): Promise<boolean> =>
  promisify(execFile)(program, ['--version'], { timeout: 20_000 }).then(
    () => true,
    () => false,
  );

/** Unpacks the registry's Chromium once, into .cache: it exists whole or not at all. */
async function unpacked(): Promise<Program> {
  const require = createRequire(import.meta.url);
  const packageFolder = join(require.resolve('@sparticuz/chromium'), '..', '..');
  const { version } = require(join(packageFolder, 'package.json')) as { version: string };
  const cache = resolve('.cache', 'chromium');
  const folder = join(cache, version);
  const program = { path: join(folder, 'chromium'), libraries: join(folder, 'al2023', 'lib') };
  if (await exists(folder)) return program;
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, 'unpacking-'));
  const usual = process.env['TMPDIR'];
  // The package unpacks to the folder for temporary files and nowhere else.
  process.env['TMPDIR'] = staging;
  try {
    const { inflate } = await import('@sparticuz/chromium');
    for (const archive of ['chromium.br', 'fonts.tar.br', 'swiftshader.tar.br', 'al2023.tar.br']) {
      await inflate(join(packageFolder, 'bin', archive));
    }
  } finally {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
  }
  await rename(staging, folder).catch(() => rm(staging, { recursive: true }));
  return program;
}

/**
 * The folder of a Vulkan that runs on the processor (SwiftShader), as a Chromium brings it: beside Debian's, or unpacked
 * from the registry's. Undefined where neither is for this system.
 */
export async function softwareVulkan(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const debian = '/usr/lib/chromium';
  if (await exists(join(debian, vulkanDriver))) return debian;
  return dirname((await unpacked()).path);
}

/** Beside the library that it names. */
export const vulkanDriver = 'vk_swiftshader_icd.json';

async function findChromium(): Promise<Program> {
  const named = process.env['PHOSPHENE_CHROMIUM'];
  if (named !== undefined) return { path: named };
  if (await exists(chromium.executablePath())) return { path: chromium.executablePath() };
  for (const path of onPath(chromiumNames)) {
    if (await answers(path)) return { path };
  }
  return unpacked();
}

/** Starts the browser. The caller closes it. */
export async function launchChromium(flags: readonly string[] = []): Promise<Browser> {
  const { path, libraries } = await findChromium();
  return chromium.launch({
    executablePath: path,
    args: ['--no-sandbox', ...flags],
    ...(libraries === undefined ? {} : { env: { ...process.env, LD_LIBRARY_PATH: libraries } }),
  });
}
