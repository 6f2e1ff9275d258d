/** What happened, as data. Whoever does the work emits these; how they are told to people is the log's matter. */

import type { Assumption } from './assume.ts';
import type { TryEvent } from './probe/auto.ts';
import type { RenderEvent } from './render.ts';
import type { TrialEvent } from './search/search.ts';
import type { RecipeEvent } from './sheet/compare.ts';
import type { WeightsEvent } from './weights/weights.ts';

export type Event =
  | WeightsEvent
  | ModelEvent
  | TryEvent
  | RenderEvent
  | RecipeEvent
  | TrialEvent
  | PublishEvent
  | SpeedEvent
  | StopEvent;

/** Nothing is done for some models; why, as words that follow a colon. */
interface LeftOut {
  readonly kind: 'left-out';
  readonly models: readonly string[];
  readonly reason: string;
}

export type ModelEvent =
  | LeftOut
  /** A model file was given that a content file names. */
  | { readonly kind: 'described'; readonly model: string; readonly file: string; readonly by: string }
  /** A model file was given that no content file names: what `file` would say of it, and why. */
  | {
      readonly kind: 'assumed';
      readonly model: string;
      readonly file: string;
      readonly content: object;
      readonly reasons: Assumption['reasons'];
    }
  /** The weights that were given for a model are remembered. */
  | { readonly kind: 'remembered'; readonly model: string; readonly file: string }
  /** What was rendered is not what content files say, because of these options: publishing does not show it. */
  | { readonly kind: 'apart'; readonly models: readonly string[]; readonly options: readonly string[] }
  /** A content file was written. */
  | { readonly kind: 'written'; readonly model: string; readonly file: string };

export type PublishEvent =
  /** Of these models no picture is there. */
  | LeftOut
  /** Units of a layer are known again by their weights under other numbers than they were last published with. */
  | { readonly kind: 'renumbered'; readonly model: string; readonly layer: string; readonly units: number }
  /** Publishing begins, with this many units in the plan. */
  | { readonly kind: 'publishing'; readonly units: number }
  /** A unit's record is ready and its pictures are in place; `encoded` tells whether they had to be made. */
  | ({ readonly kind: 'published'; readonly encoded: boolean } & UnitAddress)
  /** There is no rendering of a unit, or a damaged one, which was removed. */
  | ({ readonly kind: 'unpublished'; readonly reason: 'missing' | 'damaged' } & UnitAddress);

/** The speed of a step at one layer was measured. */
export interface SpeedEvent {
  readonly kind: 'measured';
  readonly layer: string;
  readonly msPerPictureStep: number;
}

/** The person asked to stop: what is in the store stays, the rest is dropped. */
export interface StopEvent {
  readonly kind: 'stopping';
}

interface UnitAddress {
  readonly model: string;
  readonly layer: string;
  readonly unit: number;
}
