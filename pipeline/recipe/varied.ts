/**
 * Whether the pictures of a recipe are varied everywhere: they start from noise, and nothing makes places of one value.
 * Where there are such places, maps have them too, and in the windows of a pooling many values are the largest.
 */

import { isPenalty, type Recipe } from './schema.ts';

export function isVaried({ start, regularisers, parameterisation }: Recipe): boolean {
  const fromNoise = start.kind === 'uniform' || start.kind === 'normal';
  return fromNoise && regularisers.every(isPenalty) && !isClipped(parameterisation);
}

/** Whether more than a few values of a picture lie at an end of the scale. */
function isClipped(parameterisation: Recipe['parameterisation']): boolean {
  if ('valid' in parameterisation) return parameterisation.valid === 'clip';
  if (!('contrast' in parameterisation)) return false;
  const { grey, contrast } = parameterisation;
  return grey !== 'network' && Math.min(grey, 255 - grey) < contrast;
}
