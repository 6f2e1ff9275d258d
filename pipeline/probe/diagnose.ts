/** All that `doctor` tells, as data. */

import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import manifest from '../../package.json' with { type: 'json' };
import { type EngineName, engineNames } from '../engine/choose.ts';
import { type Found, findTfjs } from '../engine/tfjs/package.ts';
import { fastest, remember, rememberedIn, type TryEvent } from './auto.ts';
import { browserForTests } from './browser.ts';
import { circumstances, onnxruntimeVersion } from './circumstances.ts';
import { type Probe, probe } from './probe.ts';

export interface Diagnosis {
  readonly versions: {
    readonly phosphene: string;
    readonly node: string;
    readonly onnxruntime: string;
    /** The packages of TensorFlow.js that are installed. */
    readonly tfjs: readonly { readonly name: string; readonly version: string }[];
  };
  readonly machine: {
    readonly platform: string;
    readonly architecture: string;
    readonly processor: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly freeBytes: number;
  };
  readonly engines: readonly Probe[];
  /** What `--engine auto` takes. */
  readonly auto: EngineName;
  /** What tests open pages with. */
  readonly browser: string | null;
  /** What is amiss or could be better, each in one sentence without its full stop. */
  readonly advice: readonly { readonly about: string; readonly sentence: string }[];
}

/** Tries all engines, and remembers what was found in `file` for `auto`. */
export async function diagnose(emit: (event: TryEvent) => void, file = rememberedIn): Promise<Diagnosis> {
  const engines = await probe(engineNames, (engine) => emit({ kind: 'trying', engine }));
  await remember(file, circumstances(), engines);
  const found = findTfjs();
  const browser = browserForTests();
  return {
    versions: {
      phosphene: manifest.version,
      node: process.versions.node,
      onnxruntime: onnxruntimeVersion(),
      tfjs: found.flatMap(({ name, version }) => (version === undefined ? [] : [{ name, version }])),
    },
    machine: {
      platform: process.platform,
      architecture: process.arch,
      processor: cpus()[0]?.model.trim() ?? 'unknown processor',
      cores: availableParallelism(),
      memoryBytes: Math.min(process.constrainedMemory() || totalmem(), totalmem()),
      freeBytes: Math.min(process.availableMemory() || freemem(), freemem()),
    },
    engines,
    auto: fastest(engines),
    browser: browser ?? null,
    advice: [
      ...engines.flatMap((each) => (each.works ? [] : [{ about: each.engine, sentence: each.reason }])),
      { about: '@tensorflow/tfjs-node-gpu', sentence: onNodeGpu(found) },
      { about: 'tests', sentence: onBrowser(browser) },
    ],
  };
}

function onNodeGpu(found: readonly Found[]): string {
  const { version, whole } = found.find(({ name }) => name === '@tensorflow/tfjs-node-gpu') as Found;
  const way =
    'npm install --no-save @tensorflow/tfjs-node-gpu fetches its library from storage.googleapis.com, which wants Linux or Windows, CUDA 11.2 and cuDNN 8';
  if (version === undefined) return `it is not installed; ${way}, and --engine webgpu needs none of them`;
  return whole
    ? `version ${version} is installed with its library, and --engine tfjs takes it first`
    : `version ${version} is installed without its library; ${way}`;
}

function onBrowser(browser: string | undefined): string {
  return browser === undefined
    ? 'no browser was found; npm ci brings @sparticuz/chromium for Linux on x64, elsewhere name one in PHOSPHENE_CHROMIUM'
    : `they open pages with ${browser}`;
}
