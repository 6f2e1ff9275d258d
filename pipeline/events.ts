/** What happened, as data. Whoever does the work emits these; how they are told to people is the log's matter. */

import type { RenderEvent } from './render.ts';
import type { DownloadEvent } from './weights/download.ts';

export type Event = DownloadEvent | ModelEvent | RenderEvent | PublishEvent | StopEvent;

/** Nothing is done for some models; why, as words that follow a colon. */
export interface ModelEvent {
  readonly kind: 'left-out';
  readonly models: readonly string[];
  readonly reason: string;
}

export type PublishEvent =
  /** Publishing begins, with this many units in the plan. */
  | { readonly kind: 'publishing'; readonly units: number }
  /** A unit's record is ready and its pictures are in place; `encoded` tells whether they had to be made. */
  | ({ readonly kind: 'published'; readonly encoded: boolean } & UnitAddress)
  /** There is no rendering of a unit, or a damaged one, which was removed. */
  | ({ readonly kind: 'unpublished'; readonly reason: 'missing' | 'damaged' } & UnitAddress);

/** The person asked to stop: what is in the store stays, the rest is dropped. */
export interface StopEvent {
  readonly kind: 'stopping';
}

interface UnitAddress {
  readonly model: string;
  readonly layer: string;
  readonly unit: number;
}
