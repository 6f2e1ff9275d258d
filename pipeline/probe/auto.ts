/** `auto`: the fastest engine that is right on this machine, found once and remembered until something about it changes. */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type EngineName, engineNames, openEngine } from '../engine/choose.ts';
import type { Engine } from '../engine/engine.ts';
import { findTfjs } from '../engine/tfjs/package.ts';
import { circumstances } from './circumstances.ts';
import { mayWork, type Probe, probe } from './probe.ts';

/** An engine by name, or the best of them. */
export type EngineChoice = 'auto' | EngineName;

/** Engines are tried, once on this machine. */
export interface TryEvent {
  readonly kind: 'trying';
  readonly engine: EngineName;
}

/** Where it is remembered by default. */
export const rememberedIn = '.cache/engines.json';

/** Opens the engine that was chosen. @throws PhospheneError where it does not work here. */
export async function chosenEngine(
  choice: EngineChoice,
  emit: (event: TryEvent) => void,
  file = rememberedIn,
): Promise<Engine> {
  return openEngine(choice === 'auto' ? await bestEngine(emit, file) : choice);
}

/** TensorFlow.js in JavaScript alone is never the fastest. */
const worthTrying = (engine: EngineName): boolean =>
  mayWork(engine) &&
  (engine !== 'tfjs' || findTfjs().some(({ name, whole }) => whole && name.includes('-node')));

async function bestEngine(emit: (event: TryEvent) => void, file: string): Promise<EngineName> {
  const candidates = engineNames.filter(worthTrying);
  if (candidates.length === 1) return 'cpu';
  const now = circumstances();
  const before = await recall(file, now);
  if (before !== undefined && candidates.every((name) => before.some(({ engine }) => engine === name))) {
    return fastest(before);
  }
  const probes = await probe(candidates, (engine) => emit({ kind: 'trying', engine }));
  await remember(file, now, probes);
  return fastest(probes);
}

/** What another engine may take of the CPU's time to be taken instead: it rounds otherwise, and measures are not exact. */
const worthwhile = 0.8;

/** The fastest that works; the CPU where none is much faster. */
export function fastest(probes: readonly Probe[]): EngineName {
  const working = probes.filter((each) => each.works);
  const cpu = working.find(({ engine }) => engine === 'cpu');
  const limit = worthwhile * (cpu?.msPerPictureStep ?? Number.POSITIVE_INFINITY);
  const faster = working.filter(({ msPerPictureStep }) => msPerPictureStep < limit);
  faster.sort((a, b) => a.msPerPictureStep - b.msPerPictureStep);
  return faster[0]?.engine ?? 'cpu';
}

/** Keeps what was found for as long as `now` stays as it is. */
export async function remember(file: string, now: string, probes: readonly Probe[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const staged = `${file}.${process.pid}`;
  await writeFile(staged, `${JSON.stringify({ circumstances: now, probes }, null, 2)}\n`);
  await rename(staged, file);
}

async function recall(file: string, now: string): Promise<readonly Probe[] | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, 'utf8')) as { circumstances: string; probes: Probe[] };
    return kept.circumstances === now ? kept.probes : undefined;
  } catch {
    // Nothing is remembered, or nothing that can be read: it is found anew.
    return undefined;
  }
}
