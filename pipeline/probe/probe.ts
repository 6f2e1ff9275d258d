/** Whether an engine works here and how fast, told by a process of its own: a driver may end the one that calls it. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EngineName } from '../engine/choose.ts';
import { cudaMissing } from '../engine/cuda.ts';
import { graphicsMissing } from '../engine/graphics.ts';
import { findTfjs } from '../engine/tfjs/package.ts';
import type { Trial } from './trial.ts';

export type Probe =
  | {
      readonly engine: EngineName;
      readonly works: true;
      readonly device: string;
      readonly msPerPictureStep: number;
    }
  /** Why not, and what to do about it. */
  | { readonly engine: EngineName; readonly works: false; readonly reason: string };

/** Reasons against an engine that need no trial. */
const missing: Readonly<Record<EngineName, () => string | undefined>> = {
  cpu: () => undefined,
  webgpu: graphicsMissing,
  cuda: cudaMissing,
  tfjs: () =>
    findTfjs().some(({ whole }) => whole)
      ? undefined
      : 'Expected a package of TensorFlow.js, found none; npm install --no-save @tensorflow/tfjs-node brings the one for the CPU',
};

/** An engine that has not answered by then is slower than any that one would choose. */
const patienceMs = 60_000;

/** An engine is right where its objectives are those of the CPU to this share. */
const tolerance = 1e-3;

/** Tries the engines one after the other. `cpu` is among them: it tells what is right. */
export async function probe(
  engines: readonly EngineName[],
  started?: (engine: EngineName) => void,
): Promise<Probe[]> {
  const truth = await trialOf('cpu');
  const probes: Probe[] = [];
  for (const engine of engines) {
    const reason = missing[engine]();
    if (reason !== undefined) {
      probes.push({ engine, works: false, reason });
      continue;
    }
    started?.(engine);
    probes.push(judged(engine, engine === 'cpu' ? truth : await trialOf(engine), truth));
  }
  return probes;
}

/** Whether it is worth a trial. */
export const mayWork = (engine: EngineName): boolean => missing[engine]() === undefined;

type Answer = Trial | { readonly reason: string };

async function trialOf(engine: EngineName): Promise<Answer> {
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, 'child.ts'), engine],
      { timeout: patienceMs, killSignal: 'SIGKILL' },
    );
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer;
  } catch (cause) {
    const { killed, signal, code } = cause as { killed?: boolean; signal?: string; code?: number };
    return {
      reason: killed
        ? `It did not finish a short trial within ${patienceMs / 1000} seconds`
        : `The process that tried it was ended by ${signal ?? `code ${code}`}, probably by its driver; install the newest one`,
    };
  }
}

function judged(engine: EngineName, answer: Answer, truth: Answer): Probe {
  if ('reason' in answer) return { engine, works: false, reason: answer.reason };
  const { device, msPerPictureStep, curve } = answer;
  const right =
    'reason' in truth ||
    truth.curve.every((value, step) => {
      const miss = Math.abs(value - (curve[step] ?? Number.NaN));
      return miss <= tolerance * Math.abs(value);
    });
  return right
    ? { engine, works: true, device, msPerPictureStep }
    : { engine, works: false, reason: 'Its numbers are not those of the CPU; update its driver' };
}
