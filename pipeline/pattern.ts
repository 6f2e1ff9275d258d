/** Patterns of layer names, as content files and the command line give them: `*` stands for any run of characters. */

import { PhospheneError } from './error.ts';
import { suggestion } from './nearest.ts';

export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}

/** What is said of layers: by the content file of a model, and by the command line. */
export interface Wish {
  readonly slug: string;
  readonly content: { readonly layers?: readonly string[] | undefined };
}

/**
 * The layers of a model that are wanted: those that the command line names, or those that its content file names, or
 * all.
 * @param names Of all layers of the model.
 * @throws PhospheneError (exit code 2) for a pattern that no name fits.
 */
export function wantedNames(
  { slug, content }: Wish,
  names: readonly string[],
  only?: readonly string[],
): Set<string> {
  const meant = (patterns: readonly string[], where: string): Set<string> => {
    for (const pattern of patterns) {
      if (names.some((name) => matches(pattern, name))) continue;
      throw new PhospheneError(`${where}: '${slug}' has no layer '${pattern}'${suggestion(pattern, names)}`, {
        exitCode: 2,
      });
    }
    return new Set(names.filter((name) => patterns.some((pattern) => matches(pattern, name))));
  };
  const shown = meant(content.layers ?? ['*'], `content/models/${slug}.json`);
  return only === undefined ? shown : meant(only, '--layers');
}
