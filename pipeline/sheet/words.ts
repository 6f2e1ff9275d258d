/** Numbers and names as a reader of a contact sheet meets them. */

const thinSpace = '\u202f';

/** Three significant digits, the thousands apart, a true minus sign: `4.31`, `−0.02`, `13 400`. */
export function inDigits(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const rounded = Number(value.toPrecision(3));
  const size = Math.abs(rounded);
  const digits =
    size !== 0 && (size < 1e-3 || size >= 1e9)
      ? size.toExponential(1).replace('e+', 'e')
      : size < 1000
        ? String(size)
        : String(size).replace(/\B(?=(\d{3})+$)/g, thinSpace);
  return `${rounded < 0 ? '−' : ''}${digits}`;
}

/** A share of 1 in per cent; what is not quite nothing or all does not look as if it were. */
export function inPercent(share: number | null | undefined): string {
  if (share === null || share === undefined) return '–';
  if (share > 0 && share < 0.005) return `< 1${thinSpace}%`;
  if (share < 1 && share >= 0.995) return `> 99${thinSpace}%`;
  return `${String(Math.round(share * 100)).replace('-', '−')}${thinSpace}%`;
}

/** A probability as papers print it: `.998`, `> .999` (a softmax in floats may say 1), `< .001`. */
export function asProbability(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value > 0.9995) return '> .999';
  if (value < 0.0005) return '< .001';
  return value.toFixed(3).replace(/^0/, '');
}

/** `40 ms`, `1.2 s` */
export function asDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '–';
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${inDigits(seconds)} s`;
}

/** Strangers' names: no control or direction characters, cut at `most` characters. */
export function plainName(name: string, most = 60): string {
  const characters = [...name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')];
  const plain = characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : characters.join('');
  return plain.trim() === '' ? '(no name)' : plain;
}
