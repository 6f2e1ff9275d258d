/** Models of which nothing is to be rendered: told by what is remembered of them, without reading their files. */

import { z } from 'zod';
import type { ModelPlan, PlanOptions } from '../plan.ts';
import { Remembered } from '../remembered.ts';
import type { Store } from '../store/store.ts';
import type { ModelOnHand } from '../weights/weights.ts';

/** Of all units that are wanted. */
const fingerprints = z.array(z.string());

export class FreshModels {
  readonly #store: Store;
  readonly #changes: PlanOptions;
  readonly #remembered = new Remembered();
  /** Of the models that were found fresh. */
  units = 0;

  /** @param changes What the command line changes of what content files say. */
  constructor(store: Store, changes: PlanOptions) {
    this.#store = store;
    this.#changes = changes;
  }

  /** Whether the model is as it was when it was last planned so, and the store has all of its units. */
  async has(model: ModelOnHand): Promise<boolean> {
    const wanted = await this.#remembered.recall(nameOf(model), this.#asked(model), fingerprints);
    if (wanted === undefined) return false;
    const found = await this.#store.hasAll(wanted);
    if (!wanted.every((fingerprint) => found.has(fingerprint))) return false;
    this.units += wanted.length;
    return true;
  }

  /** Remembers what a model was planned to be; `models` are those that have content files. */
  async note({ slug, layers, files }: ModelPlan, models: readonly ModelOnHand[]): Promise<void> {
    const model = models.find((each) => each.slug === slug);
    if (model === undefined) return;
    const wanted = layers.flatMap(({ units }) => units.map(({ fingerprint }) => fingerprint));
    await this.#remembered.keep(nameOf(model), this.#asked(model), files, wanted);
  }

  #asked({ slug, content, weightsFile }: ModelOnHand): object {
    return { slug, content, weightsFile, changes: this.#changes };
  }
}

const nameOf = ({ slug }: ModelOnHand): string => `render.${slug}`;
