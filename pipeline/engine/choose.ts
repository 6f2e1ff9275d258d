/** Engines by name. Adding one: its module beside this one, and a line in the table. */

import type { Engine } from './engine.ts';

const engines = {
  /** The fastest that works on this machine. */
  auto: async () => (await import('./onnxruntime.ts')).cpuEngine(),
  cpu: async () => (await import('./onnxruntime.ts')).cpuEngine(),
  webgpu: async () => (await import('./webgpu.ts')).webgpuEngine(),
  cuda: async () => (await import('./cuda.ts')).cudaEngine(),
  tfjs: async () => (await import('./tfjs/engine.ts')).tfjsEngine(),
} satisfies Record<string, () => Promise<Engine>>;

export type EngineName = keyof typeof engines;
export const engineNames = Object.keys(engines) as EngineName[];

/** An engine, ready to compile. Its library is loaded only now. */
export function openEngine(name: EngineName): Promise<Engine> {
  return engines[name]();
}
