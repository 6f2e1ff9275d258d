/** What the pipeline keeps: one rendering per fingerprint. A rendering that exists is complete and right. */

import type { Measures } from '../../content/schema.ts';
import type { FingerprintParts } from './fingerprint.ts';

/** The picture of one unit and how it came to be. */
export interface Rendering {
  /** sha256 of all that determines the rendering, in hex. */
  readonly fingerprint: string;
  /** What the fingerprint is the hash of, to say what differs from another; not kept by the first versions. */
  readonly madeFrom?: FingerprintParts | undefined;
  /** Where it belonged when it was rendered; for people, not part of the key. */
  readonly model: string;
  readonly layer: string;
  readonly unit: number;
  readonly widthPx: number;
  readonly heightPx: number;
  /** 1 grey, 3 RGB. */
  readonly channels: 1 | 3;
  /** First to last; the last one is the published picture. */
  readonly frames: readonly RenderingFrame[];
  /** The objective before update k + 1, for k = 0 … steps; the last value is of the finished picture. */
  readonly curve: readonly number[];
  readonly measures: Measures;
  /** The resolved recipe. */
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly engine: string;
  readonly device: string;
  readonly seconds: number;
  /** ISO 8601, UTC. */
  readonly renderedAt: string;
}

export interface RenderingFrame {
  /** Number of updates made before this picture. */
  readonly step: number;
  readonly objective: number;
  /** height × width × channels, 8 bits each, as people see it. */
  readonly pixels: Uint8Array;
}

/** All that is known of a rendering but its pixels. */
export type RenderingRecord = Omit<Rendering, 'frames'> & {
  readonly frames: readonly Omit<RenderingFrame, 'pixels'>[];
};

export interface Store {
  has(fingerprint: string): Promise<boolean>;
  /** Those of many that the store has: what `has` says of each, much faster. */
  hasAll(fingerprints: Iterable<string>): Promise<ReadonlySet<string>>;
  /** The rendering, or undefined where there is none or what is there is damaged. */
  read(fingerprint: string): Promise<Rendering | undefined>;
  /** Keeps a rendering, atomically. Writing one that is there already changes nothing. */
  write(rendering: Rendering): Promise<void>;
  /** Forgets a rendering, damaged or not; no error where there is none. */
  remove(fingerprint: string): Promise<void>;
  /** All fingerprints in the store, in ascending order. */
  list(): AsyncIterable<string>;
  /** What is known of all that is complete, in no order; reads no pixels. */
  records(): AsyncIterable<RenderingRecord>;
}
