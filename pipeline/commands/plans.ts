/** From the models on a command line to their plans. */

import { type ModelPlan, type PlanOptions, planModel } from '../plan.ts';
import type { ModelOnHand } from '../weights/weights.ts';
import { type AssumedModel, assumeModel, tellAssumed } from './model-files.ts';
import type { PictureOptions } from './options.ts';
import { modelsOnHand, type OnHandOptions, type Selection } from './select.ts';
import type { ReportOptions, Terminal } from './terminal.ts';

export interface Planned {
  readonly plans: readonly ModelPlan[];
  /** Those that have a content file. */
  readonly ready: readonly ModelOnHand[];
  /** Those that have none. */
  readonly assumed: readonly AssumedModel[];
}

/**
 * Plans the models that were selected, and tells what is assumed of files without a content file. Renders nothing.
 * @param changes What the command line changes of what content files say.
 * @param isFresh Whether a model need not be planned, because nothing of it is to be done.
 * @throws PhospheneError as `modelsOnHand`, `assumeModel` and `planModel` do; the signal's reason when it is aborted.
 */
export async function planSelection(
  { models, undescribed }: Selection,
  changes: PlanOptions,
  options: PictureOptions & ReportOptions & OnHandOptions,
  terminal: Terminal,
  isFresh: (model: ModelOnHand) => Promise<boolean> = async () => false,
): Promise<Planned> {
  const ready = await modelsOnHand(models, options, terminal);
  const plans: ModelPlan[] = [];
  const assumed: AssumedModel[] = [];
  for (const model of ready) {
    terminal.signal.throwIfAborted();
    if (!(await isFresh(model))) plans.push(await planModel(model, changes));
  }
  for (const file of undescribed) {
    terminal.signal.throwIfAborted();
    const one = await assumeModel(file, options.content, options.lambda);
    tellAssumed(one, options.json === true, terminal);
    plans.push(await planModel(one.model, changes, one.opened));
    assumed.push(one);
  }
  return { plans, ready, assumed };
}
