/** Which TensorFlow.js there is: the first of its packages that can be loaded, from here or from NODE_PATH. */

import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import util from 'node:util';
import { PhospheneError } from '../../error.ts';
import { nvidiaDevice } from '../graphics.ts';

/** The operations and memory that all its packages share. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core');

/** Fastest first. The last one has no kernels of its own: those of its CPU backend, in JavaScript. */
export const tfjsPackages = [
  '@tensorflow/tfjs-node-gpu',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-core',
] as const;

export type TfjsPackage = (typeof tfjsPackages)[number];

/** What came of looking for one of the packages. */
export interface Found {
  readonly name: TfjsPackage;
  /** Undefined where it is not installed. */
  readonly version: string | undefined;
  /** Whether its library is there; what is written in JavaScript needs none. */
  readonly whole: boolean;
}

const require = createRequire(import.meta.url);

/** All its packages, and which are installed; none is loaded. */
export function findTfjs(): Found[] {
  return tfjsPackages.map((name) => {
    try {
      const manifest = require.resolve(`${name}/package.json`);
      const { version } = require(manifest) as { version: string };
      return { name, version, whole: !name.includes('-node') || hasBinding(dirname(manifest)) };
    } catch {
      return { name, version: undefined, whole: false };
    }
  });
}

/** What is built or fetched when a native package is installed: lib/napi-v8/tfjs_binding.node. */
function hasBinding(folder: string): boolean {
  const libraries = join(folder, 'lib');
  const folders = existsSync(libraries) ? readdirSync(libraries) : [];
  return folders.some((name) => existsSync(join(libraries, name, 'tfjs_binding.node')));
}

export interface Loaded {
  readonly tf: TensorFlow;
  readonly name: TfjsPackage;
  readonly device: string;
}

/**
 * Loads the first package that works. One that is installed without its native library does not.
 * @throws PhospheneError where none does, with what each says.
 */
export async function loadTfjs(): Promise<Loaded> {
  const reasons: string[] = [];
  for (const { name, version, whole } of findTfjs()) {
    if (version === undefined) continue;
    if (!whole) {
      reasons.push(`${name} has no library`);
      continue;
    }
    try {
      const tf = load(name);
      await tf.ready();
      return { tf, name, device: `${deviceOf(name)}, ${name} ${version}` };
    } catch (cause) {
      reasons.push(`${name} says: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  const said = reasons.length === 0 ? 'none is installed' : reasons.join('; ');
  throw new PhospheneError(
    `Expected one of ${tfjsPackages.join(', ')}, found that ${said}; npm install --no-save @tensorflow/tfjs-node brings the one for the CPU`,
  );
}

function load(name: TfjsPackage): TensorFlow {
  // The native packages tell what they do on stderr, which belongs to the progress bar, and call what Node took away.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  Object.assign(util, {
    isArray: Array.isArray,
    isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
  });
  const tf = require(name) as TensorFlow;
  if (name === '@tensorflow/tfjs-core') require('@tensorflow/tfjs-backend-cpu');
  tf.enableProdMode();
  return tf;
}

function deviceOf(name: TfjsPackage): string {
  const card = name === '@tensorflow/tfjs-node-gpu' ? nvidiaDevice() : undefined;
  return card ?? cpus()[0]?.model.trim() ?? 'unknown processor';
}
