/** What a search varies: fields of a resolved recipe by their paths, and the values that each may take. */

import canonicalize from 'canonicalize';
import { PhospheneError } from '../error.ts';
import { type Random, randomOf } from '../recipe/random.ts';
import { type Recipe, recipe } from '../recipe/schema.ts';
import { parseStrict } from '../strict.ts';
import { counted } from '../words.ts';

export type Values =
  | {
      readonly kind: 'range';
      readonly low: number;
      readonly high: number;
      /** The field takes whole numbers alone. */
      readonly whole: boolean;
      /** Uniform is the logarithm: both ends are above 0, and ten times apart or more. */
      readonly logarithmic: boolean;
    }
  | { readonly kind: 'choice'; readonly values: readonly unknown[] };

/** One field that is varied. */
export interface Field {
  /** As people write it: names and places (from 0), with dots between. */
  readonly path: string;
  readonly values: Values;
}

/** A value for each field, by its path. */
export type Point = Readonly<Record<string, unknown>>;

const pair = /^\s*([+-]?[\d.]*\d(?:e[+-]?\d+)?)\s*\.\.\s*([+-]?[\d.]*?\d(?:e[+-]?\d+)?)\s*$/i;

/**
 * What people write of the fields: `rate.value=0.02..0.2` for numbers between, `optimiser.beta1=0.8,0.9` for choices (JSON,
 * or a word).
 * @param bases Resolved recipes that are varied; a field and its values must suit each of them.
 * @throws PhospheneError (exit code 2) for a field that a recipe does not have, or a value that it does not take.
 */
export function readSpace(texts: readonly string[], bases: readonly Recipe[]): Field[] {
  const fields: Field[] = [];
  for (const text of texts) {
    const field = readField(text, bases);
    if (fields.some(({ path }) => path === field.path)) {
      throw wrong(`--vary: expected each field once, found '${field.path}' twice; write its values into one`);
    }
    fields.push(field);
  }
  return fields;
}

function readField(text: string, bases: readonly Recipe[]): Field {
  const [, path, written] = /^\s*([^=\s]+)\s*=\s*(.*\S)\s*$/s.exec(text) ?? [];
  if (path === undefined || written === undefined) {
    throw wrong(
      `--vary: expected a field and its values, e.g. rate.value=0.02..0.2 or optimiser.beta1=0.8,0.9, found '${text}'`,
    );
  }
  if (['name', 'source'].includes(path)) {
    throw wrong(
      `--vary ${path}: expected a field that changes pictures, found one that says where they come from`,
    );
  }
  const check = (value: unknown): void => {
    for (const base of bases) withPoint(base, { [path]: value });
  };
  const range = pair.exec(written);
  if (range === null) {
    const values = split(written).map((item) => parsed(item, path));
    values.forEach(check);
    return { path, values: { kind: 'choice', values } };
  }
  const [low, high] = [Number(range[1]), Number(range[2])];
  if (!(low < high)) {
    throw wrong(`--vary ${path}: expected the smaller number before the larger one, found '${written}'`);
  }
  check(low);
  check(high);
  const whole = Number.isInteger(low) && Number.isInteger(high) && !takes(check, between(low, high));
  return { path, values: { kind: 'range', low, high, whole, logarithmic: low > 0 && high / low >= 10 } };
}

/** A number between two, not a whole one. */
const between = (low: number, high: number): number => {
  const middle = (low + high) / 2;
  return Number.isInteger(middle) ? middle + 0.5 : middle;
};

function takes(check: (value: unknown) => void, value: unknown): boolean {
  try {
    check(value);
    return true;
  } catch (error) {
    if (error instanceof PhospheneError) return false;
    throw error;
  }
}

/** At the commas that are not inside of a list, an object or text. */
function split(text: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:\\.|[^"\\])*"|./gs)) {
    if (token === '[' || token === '{') depth++;
    if (token === ']' || token === '}') depth--;
    if (token === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts;
}

function parsed(item: string, path: string): unknown {
  const text = item.trim();
  if (/^[+-]?\.\d+$/.test(text)) return Number(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (/^[A-Za-z][\w-]*$/.test(text)) return text;
    throw new PhospheneError(
      `--vary ${path}: expected numbers like 0.02..0.2, or JSON values or words with commas between, found '${text}'`,
      { exitCode: 2, cause },
    );
  }
}

/**
 * A recipe with other values. A `kind` that is another than the recipe's own starts from that kind's defaults.
 * @throws PhospheneError (exit code 2) naming the field, for one that recipes do not have or a value that it does not take.
 */
export function withPoint(base: Recipe, point: Point): Recipe {
  if (Object.keys(point).length === 0) return base;
  let changed: unknown = { ...base, name: `${base.name.slice(0, 50)}, varied` };
  for (const [path, value] of Object.entries(point)) {
    changed = replaced(changed, path.split('.'), value, path);
  }
  return parseStrict(recipe, changed, `--vary ${Object.keys(point).join(', ')}`);
}

function replaced(node: unknown, [part, ...rest]: readonly string[], value: unknown, path: string): unknown {
  if (part === undefined) return value;
  if (Array.isArray(node)) {
    const place = /^\d+$/.test(part) ? Number(part) : Number.NaN;
    if (place < node.length) return node.with(place, replaced(node[place], rest, value, path));
    throw wrong(
      `--vary ${path}: expected a place from 0 in a list of ${counted(node.length, 'item')}, found '${part}'`,
    );
  }
  if (node !== undefined && (typeof node !== 'object' || node === null)) {
    throw wrong(`--vary ${path}: expected an object that has '${part}', found ${JSON.stringify(node)}`);
  }
  const own: Readonly<Record<string, unknown>> = { ...node };
  const isOtherKind = part === 'kind' && rest.length === 0 && own['kind'] !== value;
  const inner = Object.hasOwn(own, part) ? own[part] : undefined;
  return { ...(isOtherKind ? {} : own), [part]: replaced(inner, rest, value, path) };
}

/** Digits of a number that is drawn: recipes are read by people. */
const digits = 3;

/** One value, drawn. */
export function draw(values: Values, random: Random): unknown {
  if (values.kind === 'choice') return values.values[random.integer(0, values.values.length - 1)];
  const { low, high, whole, logarithmic } = values;
  const clamped = (value: number): number => Math.min(high, Math.max(low, value));
  if (whole && !logarithmic) return random.integer(low, high);
  // Of whole numbers each stands for what rounds to it.
  const [from, to] = whole ? [low - 0.5, high + 0.5] : [low, high];
  const share = random.uniform();
  const value = logarithmic ? from * (to / from) ** share : from + (to - from) * share;
  return clamped(whole ? Math.round(value) : Number(value.toPrecision(digits)));
}

/** How often a point is drawn anew that was tried before, or that no recipe can be. */
const mostDraws = 200;

/**
 * Points of a space, one after another, each once; the same ones for a seed, whatever else happens. It ends where
 * hardly any is left.
 * @param bases What is varied: a point that gives one of them a wrong recipe is none.
 * @throws PhospheneError (exit code 2) where no point gives a right recipe.
 */
export function* points(fields: readonly Field[], bases: readonly Recipe[], seed: number): Generator<Point> {
  const known = new Set(bases.map((base) => keyOf(ownPoint(base, fields))));
  for (let trial = 1; ; trial++) {
    const found = newPoint(fields, bases, known, seed, trial);
    if (found === undefined) return;
    known.add(keyOf(found));
    yield found;
  }
}

function newPoint(
  fields: readonly Field[],
  bases: readonly Recipe[],
  known: ReadonlySet<string>,
  seed: number,
  trial: number,
): Point | undefined {
  let refused: PhospheneError | undefined;
  for (let attempt = 0; attempt < mostDraws; attempt++) {
    const random = randomOf(seed, trial, attempt);
    const point = Object.fromEntries(fields.map(({ path, values }) => [path, draw(values, random)]));
    if (known.has(keyOf(point))) continue;
    try {
      for (const base of bases) withPoint(base, point);
      return point;
    } catch (error) {
      if (!(error instanceof PhospheneError)) throw error;
      refused = error;
    }
  }
  if (refused !== undefined && trial === 1) throw refused;
  return undefined;
}

const keyOf = (point: Point): string => canonicalize(point) ?? '';

/** The values that a recipe has itself. */
export function ownPoint(base: Recipe, fields: readonly Pick<Field, 'path'>[]): Point {
  return Object.fromEntries(
    fields.map(({ path }) => {
      let value: unknown = base;
      for (const part of path.split('.')) {
        value =
          typeof value === 'object' && value !== null && Object.hasOwn(value, part)
            ? (value as Record<string, unknown>)[part]
            : undefined;
      }
      return [path, value ?? null];
    }),
  );
}

const wrong = (message: string): PhospheneError => new PhospheneError(message, { exitCode: 2 });
