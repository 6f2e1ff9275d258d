/** A layer's configuration as the file states it: untrusted, so every reading says what it expects and is checked. */

import type { Json, JsonObject } from '../json.ts';

/** A layer that cannot be turned into the graph, for a reason that one sentence says. Becomes a gap of the network. */
export class LayerProblem extends Error {
  override readonly name = 'LayerProblem';
}

/** No size, count or stride in a configuration is larger. */
const largest = 2 ** 24;

export class Settings {
  readonly values: JsonObject;

  constructor(values: JsonObject) {
    this.values = values;
  }

  has(key: string): boolean {
    return this.values[key] !== undefined && this.values[key] !== null;
  }

  #fail(key: string, expected: string): never {
    const found = JSON.stringify(this.values[key])?.slice(0, 80);
    throw new LayerProblem(`its '${key}' is ${found}, where ${expected} is expected`);
  }

  /** A whole number from `least` to 2^24. */
  whole(key: string, fallback?: number, least = 1): number {
    const value = this.values[key] ?? fallback;
    if (!isWhole(value, least)) this.#fail(key, `a whole number from ${least}`);
    return value;
  }

  number(key: string, fallback?: number): number {
    const value = this.values[key] ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value)) this.#fail(key, 'a number');
    return value;
  }

  text(key: string, fallback?: string): string {
    const value = this.values[key] ?? fallback;
    if (typeof value !== 'string') this.#fail(key, 'a text');
    return value;
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.values[key] ?? fallback;
    if (typeof value !== 'boolean') this.#fail(key, 'true or false');
    return value;
  }

  /** Two whole numbers, [vertical, horizontal]; a single number stands for both. */
  pair(key: string, fallback?: readonly [number, number], least = 1): readonly [number, number] {
    const value = this.values[key] ?? fallback;
    if (isWhole(value, least)) return [value, value];
    const [first, second] = Array.isArray(value) ? (value as Json[]) : [];
    if (isWhole(first, least) && second === undefined) return [first, first];
    if (!isWhole(first, least) || !isWhole(second, least)) this.#fail(key, 'two whole numbers');
    return [first, second];
  }

  /** [[top, bottom], [left, right]], from one number, two, or two pairs: the forms of padding and cropping. */
  border(key: string): readonly [readonly [number, number], readonly [number, number]] {
    const value = this.values[key];
    if (isWhole(value, 0)) {
      return [
        [value, value],
        [value, value],
      ];
    }
    const sides = (Array.isArray(value) ? (value as Json[]) : []).map((side) => {
      if (isWhole(side, 0)) return [side, side] as const;
      const [before, after] = Array.isArray(side) ? (side as Json[]) : [];
      if (!isWhole(before, 0) || !isWhole(after, 0)) this.#fail(key, 'two pairs of whole numbers');
      return [before, after] as const;
    });
    const [vertical, horizontal] = sides;
    if (sides.length !== 2 || vertical === undefined || horizontal === undefined) {
      this.#fail(key, 'two pairs of whole numbers');
    }
    return [vertical, horizontal];
  }

  /** Whole numbers, e.g. a shape; null and -1 stay as they are. */
  shape(key: string): readonly (number | null)[] {
    const value = this.values[key];
    if (!Array.isArray(value) || value.length > 16) this.#fail(key, 'a list of sizes');
    return (value as Json[]).map((dim) => {
      if (dim === null || dim === -1) return dim;
      if (!isWhole(dim, 0)) this.#fail(key, 'a list of sizes');
      return dim;
    });
  }
}

function isWhole(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= largest;
}
