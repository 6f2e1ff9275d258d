/** Engines by name. Adding one: its module beside this one, and a line in the table. */

import type { Engine } from './engine.ts';

const engines = {
  cpu: async () => (await import('./onnxruntime.ts')).cpuEngine(),
  webgpu: async () => (await import('./webgpu.ts')).webgpuEngine(),
  cuda: async () => (await import('./cuda.ts')).cudaEngine(),
  tfjs: async () => (await import('./tfjs/engine.ts')).tfjsEngine(),
} satisfies Record<Engine['name'], () => Promise<Engine>>;

export type EngineName = keyof typeof engines;
export const engineNames = Object.keys(engines) as EngineName[];

/** An engine, ready to compile. Its library is loaded only now. @throws PhospheneError where it is not there. */
export function openEngine(name: EngineName): Promise<Engine> {
  return engines[name]();
}
