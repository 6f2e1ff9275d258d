/** What happened, as data. Whoever does the work emits these; how they are told to people is the log's matter. */

export type Event =
  /** All that shall be shown is known; work begins. */
  | {
      readonly kind: 'planned';
      readonly models: number;
      /** Units that the models ask for, and how many of them are in the store already. */
      readonly total: number;
      readonly fresh: number;
    }
  /** An engine was chosen; it will run everything. */
  | { readonly kind: 'engine-chosen'; readonly engine: string; readonly device: string }
  /** A rendering is in the store. */
  | { readonly kind: 'unit-rendered'; readonly model: string; readonly layer: string; readonly unit: number }
  /** A unit could not be rendered; the others go on. */
  | {
      readonly kind: 'unit-failed';
      readonly model: string;
      readonly layer: string;
      readonly unit: number;
      readonly error: string;
    }
  /** A part of a model cannot be shown; one sentence why. */
  | {
      readonly kind: 'layer-left-out';
      readonly model: string;
      readonly layer: string;
      readonly reason: string;
    }
  /** Publishing begins with this many units in the plan. */
  | { readonly kind: 'publishing'; readonly units: number }
  /** A unit's record is ready, its pictures are in place; `encoded` tells whether they had to be made. */
  | {
      readonly kind: 'unit-published';
      readonly model: string;
      readonly layer: string;
      readonly unit: number;
      readonly encoded: boolean;
    }
  /** The store holds no rendering of a unit, or a damaged one. */
  | {
      readonly kind: 'unit-not-published';
      readonly model: string;
      readonly layer: string;
      readonly unit: number;
      readonly reason: 'missing' | 'damaged';
    }
  /** The person asked to stop: what has begun is finished or dropped, what is stored stays. */
  | { readonly kind: 'stopping' };

export type Emit = (event: Event) => void;
