/** What the gallery says of a model, remembered as long as nothing of the model changes. */

import { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import { planModel } from '../plan.ts';
import { Remembered } from '../remembered.ts';
import type { ModelOnHand } from '../weights/weights.ts';
import { publishModel } from './models.ts';
import type { PublishModel } from './wanted.ts';

/** It was written by this very program, and has a checksum. */
const asWritten = z.custom<PublishModel>();

/** As `publishModel`; the model's file is read only where it, its content file or the program changed. */
export async function modelOf(
  model: ModelOnHand,
  engine: Engine,
  remembered = new Remembered(),
): Promise<PublishModel> {
  const { slug, content, weightsFile } = model;
  const asked = { slug, content, weightsFile };
  const name = `publish.${slug}`;
  const before = await remembered.recall(name, asked, asWritten);
  if (before !== undefined) return before;
  const plan = await planModel(model);
  const found = await publishModel(plan, engine);
  await remembered.keep(name, asked, plan.files, found);
  return found;
}
