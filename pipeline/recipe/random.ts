/** Random numbers from (seed, unit, step) alone, so that a picture does not depend on which others share its batch. */

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** A whole number, uniform in [low, high]. */
  integer(low: number, high: number): number;
  /** From the standard normal distribution. */
  normal(): number;
}

/** The stream that belongs to these whole numbers, e.g. `randomOf(seed, attempt, unit, step)`. */
export function randomOf(...key: readonly number[]): Random {
  const generator = xoroshiro128plus(key.reduce((hash, part) => mix(hash ^ mix(part | 0)), 0x9e3779b9));
  const uniform = (): number => uniformFloat64(generator);
  return {
    uniform,
    integer: (low, high) => uniformInt(generator, low, high),
    // Box and Muller; 1 - u is never 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** The finaliser of MurmurHash3 (A. Appleby, public domain), plus one so that 0 does not stay 0. */
function mix(value: number): number {
  let hash = (value + 1) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
