/** What every store keeps to; each implementation runs it. */

import { describe, expect, it } from 'vitest';
import { fingerprintOfParts } from '../../pipeline/store/fingerprint.ts';
import type { Store } from '../../pipeline/store/store.ts';
import { fingerprintOf, partsOf, rendering } from './rendering.ts';

/** @param open Makes an empty store. */
export function keepsTheStoreContract(name: string, open: () => Promise<Store>): void {
  describe(`${name}: the contract of a store`, () => {
    it('has nothing when it is new', async () => {
      const store = await open();
      expect(await store.has(fingerprintOf('none'))).toBe(false);
      expect(await store.read(fingerprintOf('none'))).toBeUndefined();
      expect(await Array.fromAsync(store.list())).toEqual([]);
    });

    it.each([
      ['grey', 28, 28, 1],
      ['RGB', 31, 17, 3],
      ['of one pixel', 1, 1, 3],
    ] as const)('gives a rendering back as it was, pictures %s', async (_, widthPx, heightPx, channels) => {
      const store = await open();
      const one = rendering(3, { widthPx, heightPx, channels });
      await store.write(one);
      expect(await store.has(one.fingerprint)).toBe(true);
      expect(await store.read(one.fingerprint)).toEqual(one);
    });

    it('keeps every number of curve and measures to the last bit', async () => {
      const store = await open();
      const one = rendering(1, { curve: [1 / 3, Math.fround(0.1), -1e-30, 12345678.875, 0] });
      await store.write(one);
      expect((await store.read(one.fingerprint))?.curve).toEqual(one.curve);
    });

    it('tells renderings apart and lists them in ascending order', async () => {
      const store = await open();
      const many = Array.from({ length: 12 }, (_, seed) => rendering(seed));
      await Promise.all(many.map((each) => store.write(each)));
      expect(await Array.fromAsync(store.list())).toEqual(many.map(({ fingerprint }) => fingerprint).sort());
      for (const each of many) expect(await store.read(each.fingerprint)).toEqual(each);
    });

    it('says of many at once which it has, and what is known of each', async () => {
      const store = await open();
      const many = Array.from({ length: 40 }, (_, seed) => rendering(seed));
      for (const each of many.slice(0, 30)) await store.write(each);
      const kept = many.slice(0, 30).map(({ fingerprint }) => fingerprint);
      const asked = many.slice(10).map(({ fingerprint }) => fingerprint);
      expect([...(await store.hasAll([...asked, ...asked]))].sort()).toEqual(kept.slice(10).sort());
      const records = await Array.fromAsync(store.records());
      expect(records.map(({ fingerprint }) => fingerprint).sort()).toEqual(kept.sort());
      const { frames, ...known } = rendering(7);
      const record = records.find(({ unit }) => unit === 7);
      expect(record).toEqual({
        ...known,
        frames: frames.map(({ step, objective }) => ({ step, objective })),
      });
    });

    it('keeps what a rendering was made from', async () => {
      const store = await open();
      const madeFrom = partsOf(3);
      const one = rendering(3, { madeFrom, fingerprint: await fingerprintOfParts(madeFrom) });
      await store.write(one);
      expect((await store.read(one.fingerprint))?.madeFrom).toEqual(madeFrom);
    });

    it('keeps the first of two renderings with one fingerprint', async () => {
      const store = await open();
      const first = rendering(1);
      await store.write(first);
      await store.write({ ...first, seconds: 99 });
      expect((await store.read(first.fingerprint))?.seconds).toBe(first.seconds);
    });

    it('takes the same rendering from several writers at once', async () => {
      const store = await open();
      const one = rendering(5);
      await Promise.all(Array.from({ length: 8 }, () => store.write(one)));
      expect(await store.read(one.fingerprint)).toEqual(one);
      expect(await Array.fromAsync(store.list())).toEqual([one.fingerprint]);
    });

    it('forgets what is removed, and nothing else', async () => {
      const store = await open();
      const [one, two] = [rendering(1), rendering(2)];
      await store.write(one);
      await store.write(two);
      await store.remove(one.fingerprint);
      await store.remove(fingerprintOf('none'));
      expect(await store.has(one.fingerprint)).toBe(false);
      expect(await Array.fromAsync(store.list())).toEqual([two.fingerprint]);
      await store.write(one);
      expect(await store.read(one.fingerprint)).toEqual(one);
    });

    it('is not changed by what happens to a rendering after it was written', async () => {
      const store = await open();
      const one = rendering(2);
      await store.write(one);
      one.frames[0]?.pixels.fill(0);
      expect(await store.read(one.fingerprint)).toEqual(rendering(2));
    });
  });
}
