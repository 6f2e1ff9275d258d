import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { UnitRecord } from '../../content/schema.ts';
import { encodeSheet, sheetKey, sheetsOf, tileOf } from '../../pipeline/publish/wall.ts';

function record(unit: number, dead = false, sidePx = 64): UnitRecord {
  return {
    unit,
    image: { file: `m/l/${unit}.webp`, widthPx: sidePx, heightPx: sidePx },
    strip: { file: `m/l/${unit}.strip.webp`, frames: [{ step: 0, objective: 0 }] },
    recipe: 'r',
    seed: 0,
    objective: { name: 'mean', curve: [] },
    measures: {
      activation: 1,
      maxActivation: 1,
      initialActivation: 0,
      linearActivation: 1,
      keptUnderShifts: null,
      harshShare: 0,
      dead,
    },
    fingerprint: String(unit).padStart(64, '0'),
    engine: 'none',
    device: 'none',
    seconds: 0,
    renderedAt: '2026-11-21T11:00:00.000Z',
  };
}

describe('the sheets of a wall', () => {
  it('hold 32 living units each, in order, the last one what is left', () => {
    const units = Array.from({ length: 70 }, (_, unit) => record(unit, unit === 3));
    const sheets = sheetsOf(units);
    expect(sheets.map((sheet) => sheet.length)).toEqual([32, 32, 5]);
    expect(sheets[0]?.map(({ unit }) => unit).slice(0, 5)).toEqual([0, 1, 2, 4, 5]);
    expect(sheets[1]?.[0]?.unit).toBe(33);
  });

  it('are none where nothing is alive or pictures differ in size', () => {
    expect(sheetsOf([record(0, true)])).toEqual([]);
    expect(sheetsOf([record(0), record(1, false, 32)])).toEqual([]);
  });

  it('change their key with any rendering on them, and with nothing else', () => {
    const units = [record(0), record(1)];
    expect(sheetKey(units)).toBe(sheetKey(units.map((unit) => ({ ...unit, seconds: 9 }))));
    expect(sheetKey(units)).not.toBe(sheetKey([record(0), record(2)]));
  });

  it.each([
    [
      { widthPx: 28, heightPx: 28 },
      { widthPx: 28, heightPx: 28 },
    ],
    [
      { widthPx: 96, heightPx: 96 },
      { widthPx: 96, heightPx: 96 },
    ],
    [
      { widthPx: 224, heightPx: 112 },
      { widthPx: 96, heightPx: 48 },
    ],
  ])('show a picture of %o at %o', (picture, tile) => {
    expect(tileOf(picture)).toEqual(tile);
  });

  it('show small pictures exactly, eight a row', async () => {
    const levels = Array.from({ length: 10 }, (_, place) => place * 20);
    const pictures = await Promise.all(
      levels.map((level) =>
        sharp({ create: { width: 4, height: 4, channels: 3, background: { r: level, g: level, b: level } } })
          .webp({ lossless: true })
          .toBuffer(),
      ),
    );
    const sheet = await encodeSheet(pictures, { widthPx: 4, heightPx: 4 });
    const { data, info } = await sharp(sheet).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([32, 8]);
    const at = (x: number, y: number): number => data[(y * 32 + x) * info.channels] ?? -1;
    expect(levels.map((_, place) => at((place % 8) * 4 + 3, Math.floor(place / 8) * 4 + 3))).toEqual(levels);
  });
});
