/** JSON from a model file: untrusted, so that nothing is assumed of it but that it is JSON. */

import { PhospheneError } from '../error.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses JSON from a model file.
 * @throws PhospheneError if it is no JSON object.
 */
export function parseJson(file: string, part: string, source: string | Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(typeof source === 'string' ? source : new TextDecoder().decode(source));
  } catch (cause) {
    throw new PhospheneError(
      `Expected ${part} of '${file}' to be JSON, found something else: the file is damaged.`,
      {
        cause,
      },
    );
  }
  if (!isObject(value)) {
    throw new PhospheneError(`Expected ${part} of '${file}' to be a JSON object: the file is damaged.`);
  }
  return value;
}

/** True where the bytes start as a JSON object does. */
export function isJson(bytes: Uint8Array): boolean {
  const start = new TextDecoder().decode(bytes.subarray(0, 256)).trimStart();
  return start.startsWith('{');
}
