/** What someone who mistyped a name most probably meant. */

import { closest, distance } from 'fastest-levenshtein';

/** The known name nearest to `name`, or undefined where none differs in fewer than about half of its letters. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const lower = name.toLowerCase();
  const found = closest(
    lower,
    known.map((each) => each.toLowerCase()),
  );
  const candidate = known.find((each) => each.toLowerCase() === found);
  if (candidate === undefined) return undefined;
  const limit = Math.max(1, Math.floor(Math.min(lower.length, candidate.length) / 2));
  return distance(lower, found) <= limit ? candidate : undefined;
}

/**
 * The end of a sentence about an unknown name: `; did you mean 'steps'?`, or the known names where none is near
 * (at most twelve of them).
 */
export function suggestion(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `; did you mean '${near}'?`;
  if (known.length === 0) return '';
  const shown = known.slice(0, 12).join(', ');
  return `; known: ${shown}${known.length > 12 ? `, and ${known.length - 12} more` : ''}`;
}
