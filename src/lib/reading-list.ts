/** A list of units as addresses carry it: `u=model/layer/unit`, once for each. Kept where the visitor's browser lets it. */

const key = 'phosphene:list';
const unitPlace = /^[A-Za-z0-9_.@-]+\/[A-Za-z0-9_.-]+\/\d+$/;

/** The units that a query names, each once, in its order; what is none is left out. At most 64. */
export function unitsIn(query: string): string[] {
  const asked = new URLSearchParams(query).getAll('u').map((unit) => unit.trim());
  return [...new Set(asked)].filter((unit) => unitPlace.test(unit)).slice(0, 64);
}

export const queryOf = (units: readonly string[]): string =>
  units.length === 0 ? '' : `?${units.map((unit) => `u=${unit}`).join('&')}`;

/** A unit's place in what people type or paste: `mnist/dense_3/7`, or its whole address. */
export function unitFrom(text: string, home: string): string | undefined {
  const path = text.trim().replace(/^https?:\/\/[^/]+/, '');
  const below = path.startsWith(home) ? path.slice(home.length) : path;
  const place = below.replace(/[?#].*$/, '').replace(/^\/|\/(embed\/)?$/g, '');
  return unitPlace.test(place) ? place : undefined;
}

/** The visitor's own list. */
export function ownList(): string[] {
  try {
    return unitsIn(localStorage.getItem(key) ?? '');
  } catch {
    return [];
  }
}

/** Whether it could be kept. */
export function keepList(units: readonly string[]): boolean {
  try {
    localStorage.setItem(key, queryOf(units));
    return true;
  } catch {
    return false;
  }
}
