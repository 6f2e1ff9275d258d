/**
 * The engine named on the command line answers the contract: a line of JSON for each case, on stdout. A second word
 * chooses cases by a part of their name, slow ones too. A process of its own, because some libraries read their
 * environment only when a process starts, and a driver may end it.
 */

import { type EngineName, openEngine } from '../../pipeline/engine/choose.ts';
import { webgpuEngine } from '../../pipeline/engine/webgpu.ts';
import { contract } from './contract.ts';

export interface Answer {
  readonly name: string;
  /** Null where it is no number. */
  readonly miss: number | null;
  readonly error?: string;
  readonly seconds: number;
}

const [name, part] = process.argv.slice(2);
// Alone: every node of every case is on the device, or the case fails.
const engine = name === 'webgpu' ? webgpuEngine({ alone: true }) : await openEngine(name as EngineName);
for (const one of contract) {
  if (part === undefined ? one.slow : !one.name.includes(part)) continue;
  const startedAt = performance.now();
  const said = await one.run(engine).then(
    (miss) => ({ miss }),
    (error: unknown) => ({ miss: null, error: error instanceof Error ? error.message : String(error) }),
  );
  const answer: Answer = { name: one.name, ...said, seconds: (performance.now() - startedAt) / 1000 };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
