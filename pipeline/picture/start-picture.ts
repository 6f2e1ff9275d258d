/** The picture that a recipe starts from, where that is a file. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import sharp from 'sharp';
import { shownPath } from '../content.ts';
import { PhospheneError } from '../error.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { PictureSize } from '../recipe/size.ts';
import { type Planes, planesOf } from './display.ts';

/** A recipe with what its start needs; the recipe names the very bytes of the file. */
export interface StartedRecipe {
  readonly recipe: Recipe;
  /** 0..255 RGB, or grey for a network of one channel, of the size asked for. */
  readonly startPicture?: Planes;
}

/**
 * Reads the file that `recipe` starts from, if it does: turned upright, cut to the shape of `size` about its centre and
 * resized, transparent parts white.
 * @param folder What the file's path starts from.
 * @throws PhospheneError (exit code 2) for a file that cannot be read, is no picture or not the one that is meant.
 */
export async function withStartPicture(
  recipe: Recipe,
  folder: string,
  { channels, height, width }: PictureSize,
): Promise<StartedRecipe> {
  const { start } = recipe;
  if (start.kind !== 'image') return { recipe };
  const path = resolve(folder, start.file);
  const refuse = (found: string, cause?: unknown): never => {
    throw new PhospheneError(
      `The recipe '${recipe.name}' starts from the picture ${shownPath(path)}: expected a PNG, JPEG, WebP or TIFF file there, found ${found}`,
      { exitCode: 2, cause },
    );
  };
  const bytes = await readFile(path).catch((cause: unknown) => refuse('none that can be read', cause));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (start.sha256 !== undefined && start.sha256 !== sha256) {
    refuse(`another one than the recipe means: its sha256 is ${sha256}`);
  }
  const picture = sharp(bytes)
    .autoOrient()
    .flatten({ background: 'white' })
    .resize(width, height, { fit: 'cover' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb');
  const { data, info } = await picture
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => refuse('one that is no picture', cause));
  if (info.channels !== channels)
    refuse(`one of ${info.channels} channels where the network takes ${channels}`);
  return {
    recipe: { ...recipe, start: { ...start, sha256 } },
    startPicture: planesOf(data, { channels, height, width }),
  };
}
