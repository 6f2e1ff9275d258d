/** onnxruntime's CUDA provider as an engine. The package does not bring CUDA's libraries: they are installed by hand. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PhospheneError } from '../error.ts';
import type { Engine } from './engine.ts';
import { nvidiaDevice } from './graphics.ts';
import { cpuEngine, onHost } from './onnxruntime.ts';

/**
 * NVIDIA's graphics cards. What CUDA cannot run runs on the CPU.
 * @throws PhospheneError where onnxruntime's libraries for it are not installed.
 */
export function cudaEngine(): Engine {
  const missing = cudaMissing();
  if (missing !== undefined) throw new PhospheneError(missing);
  return {
    name: 'cuda',
    device: nvidiaDevice() ?? 'CUDA device',
    lowering: { maxPool: 'compare' },
    host: cpuEngine(),
    ...onHost('cuda', 'by CUDA'),
  };
}

/** Why there can be no CUDA here, and what to do about it; undefined where the libraries are installed. */
export function cudaMissing(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `Expected Linux on x64, for which alone onnxruntime has CUDA libraries for Node, found ${process.platform} on ${process.arch}; use --engine webgpu`;
  }
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  const library = join(dirname(entry), '../bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so');
  if (existsSync(library)) return undefined;
  return `Expected onnxruntime's CUDA libraries, found no ${library}; with CUDA 12 and cuDNN 9, ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js fetches them`;
}
