/** All that can change which engine is the fastest, as one line of text. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { cudaMissing } from '../engine/cuda.ts';
import { graphicsNodes } from '../engine/graphics.ts';
import { findTfjs } from '../engine/tfjs/package.ts';

/** Variables that choose drivers, devices and libraries. */
const telling = /^(VK_|CUDA_|NVIDIA_|MESA_|GALLIUM_|DRI_PRIME|LD_LIBRARY_PATH|NODE_PATH)/;

export function circumstances(): string {
  const environment = Object.entries(process.env).filter(([name]) => telling.test(name));
  return JSON.stringify({
    system: [process.platform, process.arch, process.version],
    processors: cpus().map(({ model }) => model.trim()),
    cards: process.platform === 'linux' ? graphicsNodes() : [],
    driver: contentOf('/proc/driver/nvidia/version'),
    onnxruntime: onnxruntimeVersion(),
    cuda: cudaMissing() === undefined,
    tfjs: findTfjs().filter(({ whole }) => whole),
    environment: environment.sort(([a], [b]) => (a < b ? -1 : 1)),
  });
}

/** Of the package that is installed. */
export function onnxruntimeVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('onnxruntime-node/package.json') as { version: string }).version;
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
