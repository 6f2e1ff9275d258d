/** Seeded damage to a file: what a bad download, a bad disk and a bad person do to it. */

/** Mulberry32, by Tommy Ettinger: a small generator with 32 bits of state, numbers from 0 to 1. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Damage = (bytes: Uint8Array, random: () => number) => Uint8Array;

/** A place, more often in the first kilobyte, where headers are. */
const place = (bytes: Uint8Array, random: () => number): number =>
  Math.floor(random() * (random() < 0.5 ? Math.min(1024, bytes.length) : bytes.length));

const flipBits: Damage = (bytes, random) => {
  const damaged = bytes.slice();
  const count = 1 + Math.floor(random() * 8);
  for (let flip = 0; flip < count; flip++) {
    const at = place(bytes, random);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  return damaged;
};

const truncate: Damage = (bytes, random) => bytes.slice(0, place(bytes, random));

const splice: Damage = (bytes, random) => {
  const damaged = bytes.slice();
  const length = Math.floor(random() * 512);
  const from = place(bytes, random);
  damaged.set(bytes.subarray(from, from + length).subarray(0, bytes.length - from), 0);
  const to = Math.floor(random() * Math.max(1, bytes.length - length));
  damaged.set(bytes.subarray(from, Math.min(from + length, bytes.length)), to);
  return damaged;
};

/** Four or eight bytes become a size that nothing has. */
const absurdSize: Damage = (bytes, random) => {
  const damaged = bytes.slice();
  const at = place(bytes, random);
  const size = [0xffffffff, 0x7fffffff, 0x80000000, 0x40000000, 0][Math.floor(random() * 5)] ?? 0;
  for (let byte = 0; byte < (random() < 0.5 ? 4 : 8); byte++) {
    if (at + byte < damaged.length) damaged[at + byte] = byte < 4 ? (size >>> (8 * byte)) & 0xff : 0;
  }
  return damaged;
};

/** A number in text becomes a larger one, or a word another. */
const rewriteText: Damage = (bytes, random) => {
  const text = new TextDecoder('latin1').decode(bytes);
  const numbers = [...text.matchAll(/\d+/g)];
  const chosen = numbers[Math.floor(random() * numbers.length)];
  if (chosen === undefined) return flipBits(bytes, random);
  const numeral = ['99999999999', '-1', '0', '1e308', '[[[]]]', 'null', '16777216', '"x"'];
  const put = numeral[Math.floor(random() * numeral.length)] ?? '0';
  const changed = text.slice(0, chosen.index) + put + text.slice(chosen.index + chosen[0].length);
  return Uint8Array.from(changed, (letter) => letter.charCodeAt(0));
};

const damages: readonly Damage[] = [flipBits, truncate, splice, absurdSize, rewriteText];

/** The file, damaged in a way that `seed` decides. */
export function damaged(bytes: Uint8Array, seed: number): Uint8Array {
  const random = generator(seed);
  for (let skip = 0; skip < 4; skip++) random();
  const damage = damages[Math.floor(random() * damages.length)] as Damage;
  return damage(bytes, random);
}
