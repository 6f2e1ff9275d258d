/** JSON that people write, held against a zod schema; what is wrong with it is told in one sentence. */

import { z } from 'zod';
import { PhospheneError } from './error.ts';
import { suggestion } from './nearest.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * `value` as `schema` reads it, defaults filled in.
 * @param what Where the value was found, e.g. a file's path: the sentence starts with it.
 * @throws PhospheneError (exit code 2) naming the field, what was expected and what was found; for an unknown field
 *   the nearest known one.
 */
export function parseStrict<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((each) => narrowed(each, value));
  // A mistyped field is also a missing one: the mistyped name says more.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) throw result.error;
  throw new PhospheneError(`${what}: ${sentence(issue, schema, value)}`, {
    exitCode: 2,
    cause: result.error,
  });
}

/** `text` as JSON. @throws PhospheneError (exit code 2) naming `what` and the place of the mistake. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PhospheneError(`${what}: expected JSON, found a mistake: ${reason}`, { exitCode: 2, cause });
  }
}

/** Of a union that fits in none of its forms: the issue of the form that came nearest. */
function narrowed(issue: Issue, value: unknown): Issue {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const found = at(value, issue.path);
  const ranked = issue.errors
    .map((issues) => ({ issues, wrongType: issues.some((each) => misses(each, found)) }))
    .sort((a, b) => Number(a.wrongType) - Number(b.wrongType) || a.issues.length - b.issues.length);
  const best = ranked[0];
  if (best === undefined || best.wrongType) return issue;
  const first = best.issues.find(({ code }) => code === 'unrecognized_keys') ?? best.issues[0];
  if (first === undefined) return issue;
  return narrowed({ ...first, path: [...issue.path, ...first.path] }, value);
}

/** Whether the issue says that the value as a whole is of another type than this form of a union takes. */
function misses(issue: z.core.$ZodIssue, found: unknown): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_type') return true;
  return issue.code === 'invalid_value' && !issue.values.some((each) => typeof each === typeof found);
}

function sentence(issue: Issue, schema: z.ZodType, value: unknown): string {
  const found = at(value, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const where = issue.path.length === 0 ? '' : ` of '${dotted(issue.path)}'`;
    return `unknown field '${key}'${where}${suggestion(key, fieldsAt(schema, issue.path, value))}`;
  }
  const field = issue.path.length === 0 ? '' : `'${dotted(issue.path)}' `;
  if (found === undefined) return `${field}is missing, expected ${expected(issue, schema, value)}`;
  const hint = typeof found === 'string' ? suggestion(found, choices(issue)) : '';
  const list = hint.startsWith('; known') ? '' : hint;
  return `${field}must be ${expected(issue, schema, value)}, found ${shown(found)}${list}`;
}

/** What the schema wants, as words that follow "must be". */
function expected(issue: Issue, schema: z.ZodType, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeName(issue.expected);
    case 'too_small':
      return measured(
        issue.origin,
        issue.inclusive ? `${issue.minimum} or more` : `more than ${issue.minimum}`,
      );
    case 'too_big':
      return measured(
        issue.origin,
        issue.inclusive ? `${issue.maximum} or less` : `less than ${issue.maximum}`,
      );
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_value':
    case 'invalid_union': {
      const names = choices(issue);
      if (names.length > 0) return names.length === 1 ? `'${names[0]}'` : `one of ${names.join(', ')}`;
      return descriptionAt(schema, issue.path, value) ?? 'of another form';
    }
    case 'invalid_format':
      return issue.pattern === undefined ? `a ${issue.format}` : `text that matches ${issue.pattern}`;
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return issue.message;
  }
}

function measured(origin: string, limit: string): string {
  if (origin === 'string') return `text of ${limit} characters`;
  if (origin === 'array' || origin === 'set') return `a list of ${limit}`;
  return limit;
}

/** The values that an enum, a literal or a discriminator allows. */
function choices(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union') {
    if ('options' in issue && Array.isArray(issue.options)) return issue.options.map(String);
    const branches = issue.errors.flat();
    const values = branches.flatMap((each) => (each.code === 'invalid_value' ? each.values.map(String) : []));
    const types = branches.flatMap((each) => (each.code === 'invalid_type' ? [typeName(each.expected)] : []));
    return [...values, ...types];
  }
  return [];
}

function typeName(type: string): string {
  const names: Record<string, string> = {
    int: 'a whole number',
    number: 'a number',
    string: 'text',
    boolean: 'true or false',
    array: 'a list',
    tuple: 'a list',
    object: 'an object',
    record: 'an object',
  };
  return names[type] ?? `a ${type}`;
}

/** A value as it stands in the file, cut where it is long. */
function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function dotted(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

function at(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<PropertyKey, unknown>)[part];
  }
  return current;
}

/** The names of the fields that an object at this place may have. */
function fieldsAt(schema: z.ZodType, path: Path, value: unknown): string[] {
  const fields = schemasAt(schema, path, value).flatMap((each) =>
    each instanceof z.ZodObject ? Object.keys(each.shape) : [],
  );
  return [...new Set(fields)];
}

function descriptionAt(schema: z.ZodType, path: Path, value: unknown): string | undefined {
  return schemasAt(schema, path, value)
    .map((each) => each.description)
    .find((each) => each !== undefined);
}

/** The schemas that `value`'s part at `path` is held against; several where it is a union. */
function schemasAt(schema: z.core.$ZodType, path: Path, value: unknown): z.ZodType[] {
  const forms = unwrapped(schema, value);
  const [part, ...rest] = path;
  if (part === undefined) return forms;
  const inner = at(value, [part]);
  return forms.flatMap((form) => {
    const child = childOf(form, part);
    return child === undefined ? [] : schemasAt(child, rest, inner);
  });
}

function childOf(form: z.ZodType, part: PropertyKey): z.core.$ZodType | undefined {
  if (form instanceof z.ZodObject) return form.shape[String(part)];
  if (form instanceof z.ZodArray) return form.element;
  if (form instanceof z.ZodRecord) return form.valueType;
  if (form instanceof z.ZodTuple) return form.def.items[Number(part)];
  return undefined;
}

/** Without what defaults and the like wrap around it; of a discriminated union the forms that `value` names. */
function unwrapped(schema: z.core.$ZodType, value: unknown): z.ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrapped(schema.def.innerType, value);
  }
  if (schema instanceof z.ZodPipe) return unwrapped(schema.def.in, value);
  if (schema instanceof z.ZodLazy) return unwrapped(schema.def.getter(), value);
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const key = schema.def.discriminator;
    const forms = schema.def.options.flatMap((option) => unwrapped(option, value));
    const named = forms.filter((form) => {
      const field = childOf(form, key);
      return field instanceof z.ZodType && field.safeParse(at(value, [key])).success;
    });
    return named.length > 0 ? named : forms;
  }
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap((option) => unwrapped(option, value));
  return schema instanceof z.ZodType ? [schema] : [];
}
