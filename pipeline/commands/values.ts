/** The values of options: text from the command line to what it means, or one sentence why not. */

import { InvalidArgumentError } from 'commander';
import { engineNames } from '../engine/choose.ts';
import { suggestion } from '../nearest.ts';
import type { EngineChoice } from '../probe/auto.ts';
import type { Shard } from '../shard.ts';

/** A parser of whole numbers from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };
}

/** `a,b*` as the names or patterns in it. */
export function names(text: string): string[] {
  const found = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (found.length === 0) throw new InvalidArgumentError("Expected names or patterns, e.g. 'conv2d,dense*'.");
  return found;
}

/** No layer has as many. */
const mostUnits = 1_000_000;

/** `0-15,40` as all the units in it, each once, in ascending order. */
export function unitNumbers(text: string): number[] {
  const units = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last ?? first)];
    if (first === undefined || to < from || to >= mostUnits) {
      throw new InvalidArgumentError(
        `Expected units from 0 as numbers and ranges, e.g. '0-15,40', found '${part.trim()}'.`,
      );
    }
    for (let unit = from; unit <= to; unit++) units.add(unit);
  }
  return [...units].sort((a, b) => a - b);
}

/** As in content files. */
const mostOfExpression = 1000;

/** `lambda_1=x / 127.5 - 1`, one more to those that came before it: expressions by layer name. */
export function lambdaExpression(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const [, name, expression] = /^\s*(.*?\S)\s*=\s*(\S.*?)\s*$/s.exec(text) ?? [];
  if (name === undefined || expression === undefined || expression.length > mostOfExpression) {
    throw new InvalidArgumentError(
      "Expected a layer's name and what it computes of x, e.g. 'lambda_1=x / 127.5 - 1'.",
    );
  }
  return { ...before, [name]: expression };
}

export function engineName(text: string): EngineChoice {
  const choices: readonly EngineChoice[] = ['auto', ...engineNames];
  const found = choices.find((name) => name === text);
  if (found === undefined) {
    throw new InvalidArgumentError(
      `Expected one of ${choices.join(', ')}${suggestion(text, choices).replace(/^; known.*/, '')}`,
    );
  }
  return found;
}

/** `2/4` as the second of four. */
export function shard(text: string): Shard {
  const [, index, of] = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text)?.map(Number) ?? [];
  if (index !== undefined && of !== undefined && index >= 1 && index <= of) return { index, of };
  throw new InvalidArgumentError("Expected a part and the number of parts, from '1/4' to '4/4'.");
}

/** `800MB` or `1.5GB` as bytes. */
export function bytes(text: string): number {
  const [, amount, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([MG])i?B?\s*$/i.exec(text) ?? [];
  if (amount !== undefined) return Number(amount) * (unit.toUpperCase() === 'G' ? 1e9 : 1e6);
  throw new InvalidArgumentError('Expected an amount of memory, e.g. 800MB or 1.5GB.');
}
