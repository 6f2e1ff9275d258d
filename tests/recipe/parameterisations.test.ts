import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../pipeline/network/build.ts';
import { type Decoder, decoder } from '../../pipeline/recipe/parameterisations.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import { parameterisation as schema } from '../../pipeline/recipe/schema.ts';
import { evaluate, expectGradient, type Feed, numbers, rounded } from './evaluate.ts';

const [height, width] = [6, 8];

const decoderOf = (settings: object, channels: number): Decoder =>
  decoder(
    schema.parse(settings),
    { channels, height, width },
    resolveScaling(channels === 3 ? 'caffe' : '0..1', channels),
  );

const decoding =
  (decode: Decoder) =>
  (build: GraphBuilder, inputs: readonly string[]): string =>
    decode.toPicture(build, decode.decode(build, inputs));

/** Random parameters of so many pictures. */
const feedsOf = ({ parameters }: Decoder, pictures: number, spread = 1): [Feed, ...Feed[]] =>
  parameters.map(({ dims }, place): Feed => {
    const length = pictures * dims[0] * dims[1] * dims[2];
    return [[pictures, ...dims], numbers(length, place + 1).map((value) => spread * value)];
  }) as [Feed, ...Feed[]];

const pictureOf = (decode: Decoder, feeds: readonly Feed[]): Promise<number[]> =>
  evaluate(feeds, decoding(decode));

const caffe = [123.68, 116.779, 103.939];

/** lucid's matrix, by hand. */
const mix = [
  [0.26, 0.09, 0.02],
  [0.27, 0.0, -0.05],
  [0.27, -0.09, 0.03],
].map((row) => row.map((value) => value / 0.461952));

/** M · plane, pixel by pixel, of one picture of three channels. */
const mixed = (plane: readonly number[]): number[] =>
  plane.map((_, index) => {
    const area = height * width;
    const row = mix[Math.floor(index / area)] ?? [];
    return row.reduce(
      (sum, value, channel) => sum + value * (plane[channel * area + (index % area)] as number),
      0,
    );
  });

const closeTo = (got: readonly number[], expected: readonly number[], digits: number): void => {
  expect(got.length).toBe(expected.length);
  got.forEach((value, index) => void expect(value).toBeCloseTo(expected[index] as number, digits));
};

const kinds = [
  { kind: 'pixels' },
  { kind: 'pixels', space: 'input' },
  { kind: 'pixels', valid: 'sigmoid' },
  { kind: 'pixels', space: 'input', valid: 'sigmoid' },
  { kind: 'fourier' },
  { kind: 'fourier', exponent: 0.5, lowPass: 0.25, colours: 'plain' },
  { kind: 'fourier', valid: 'clip' },
  { kind: 'pyramid', levels: 3 },
  { kind: 'phase' },
  { kind: 'phase', exponent: 1.2, lowPass: 0.3, grey: 100, contrast: 20 },
  { kind: 'sphere' },
  { kind: 'sphere', structureRate: 0.5 },
  { kind: 'sphere', grey: 100, contrast: 20, colourRate: 0 },
];

describe.each([1, 3])('parameterisations of %i channels', (channels) => {
  it.each(kinds)('%j has the gradient that differences give', async (settings) => {
    const decode = decoderOf(settings, channels);
    const area = channels * height * width;
    const weights: Feed = [[2, channels, height, width], numbers(2 * area, 9)];
    for (const place of decode.parameters.keys()) {
      const feeds = feedsOf(decode, 2, 0.5);
      const own = feeds.splice(place, 1)[0] as Feed;
      await expectGradient(
        [own, ...feeds, weights],
        (build, [first = '', ...rest]) => {
          const inputs = rest.slice(0, -1);
          inputs.splice(place, 0, first);
          return build.add('Mul', [decoding(decode)(build, inputs), rest.at(-1) as string]);
        },
        { h: 0.02, tolerance: 2e-2 },
      );
    }
  });

  it.each(kinds)(
    '%j is grey where it starts from grey, and gives each picture by itself',
    async (settings) => {
      const decode = decoderOf(settings, channels);
      const feeds = feedsOf(decode, 2);
      const both = await pictureOf(decode, feeds);
      const second = feeds.map(([dims, data]): Feed => {
        return [[1, ...dims.slice(1)], data.slice(data.length / 2)];
      });
      expect(await pictureOf(decode, second)).toEqual(both.slice(both.length / 2));
      if (settings.kind === 'phase') return;
      const grey = decode.parameters.map(({ dims: [count, rows, columns], grey: own }): Feed => {
        const data = Array.from(
          { length: count * rows * columns },
          (_, index) => own[Math.floor(index / rows / columns)] as number,
        );
        return [[1, count, rows, columns], data];
      });
      const ofNetwork =
        settings.kind === 'fourier' || settings.kind === 'pyramid' || channels === 1 ? 127.5 : caffe;
      const expected = settings.kind === 'sphere' && settings.grey !== undefined ? settings.grey : ofNetwork;
      const pixels = await pictureOf(decode, grey);
      pixels.forEach((value, index) => {
        const channel = Math.floor(index / height / width);
        expect(value).toBeCloseTo(typeof expected === 'number' ? expected : (expected[channel] as number), 3);
      });
    },
  );
});

describe('pixels', () => {
  it('take a picture of 0..255 as it is, in each of their spaces', async () => {
    const picture = Float32Array.from({ length: 3 * height * width }, (_, index) => 1 + ((index * 37) % 254));
    for (const space of ['picture', 'input']) {
      for (const valid of [undefined, 'sigmoid', 'clip']) {
        const decode = decoderOf({ kind: 'pixels', space, ...(valid && { valid }) }, 3);
        const { dims, encode } = decode.parameters[0] as Decoder['parameters'][number];
        const values = [...(encode?.(picture) ?? [])];
        closeTo(await pictureOf(decode, [[[1, ...dims], values]]), [...picture], 3);
      }
    }
  });

  it('lie between black and white by `valid`', async () => {
    const pixels = [-400, 0, 400, ...new Array<number>(height * width - 3).fill(7)];
    const of = (valid: string) =>
      pictureOf(decoderOf({ kind: 'pixels', valid }, 1), [[[1, 1, height, width], pixels]]);
    expect(rounded((await of('clip')).slice(0, 4))).toEqual([0, 0, 255, 7]);
    expect(rounded((await of('sigmoid')).slice(0, 3))).toEqual([0, 127.5, 255]);
    const input = decoderOf({ kind: 'pixels', space: 'input', valid: 'sigmoid' }, 1);
    const white = await evaluate([[[1, 1, height, width], pixels]], (build, [x = '']) =>
      input.decode(build, [x]),
    );
    expect(rounded(white.slice(0, 3))).toEqual([0, 0.5, 1]);
  });
});

describe('fourier', () => {
  /** The cosine that one coefficient of channel 0 gives. */
  const wave = (ky: number, kx: number, gain: number): number[] => {
    const f = Math.hypot(ky / height, kx / width);
    const weight = kx === 0 || 2 * kx === width ? 1 : 2;
    return Array.from({ length: height * width }, (_, index) => {
      const [y, x] = [Math.floor(index / width), index % width];
      const angle = 2 * Math.PI * ((ky * y) / height + (kx * x) / width);
      return (
        ((gain * Math.sqrt(height * width)) / Math.max(f, 1 / 8) / 4 / height / width) *
        weight *
        Math.cos(angle)
      );
    });
  };
  const spectrum = (channels: number, ky: number, kx: number): Feed => {
    const data = new Array<number>(channels * 2 * height * 5).fill(0);
    data[ky * 5 + kx] = 3;
    return [[1, channels, 2 * height, 5], data];
  };
  const sigmoid = (plane: readonly number[]): number[] => plane.map((value) => 255 / (1 + Math.exp(-value)));

  it.each([
    [0, 0],
    [1, 0],
    [2, 3],
    [0, 4],
    [3, 4],
  ])('makes one cosine of the coefficient %i, %i', async (ky, kx) => {
    const got = await pictureOf(decoderOf({ kind: 'fourier' }, 1), [spectrum(1, ky, kx)]);
    closeTo(got, sigmoid(wave(ky, kx, 3)), 3);
  });

  it('mixes three channels, or not', async () => {
    const plane = [...wave(2, 3, 3), ...new Array<number>(2 * height * width).fill(0)];
    const feeds = [spectrum(3, 2, 3)];
    closeTo(await pictureOf(decoderOf({ kind: 'fourier' }, 3), feeds), sigmoid(mixed(plane)), 3);
    const plain = await pictureOf(decoderOf({ kind: 'fourier', colours: 'plain' }, 3), feeds);
    closeTo(plain, sigmoid(plane), 3);
  });

  it('damps what is above its band, falls by its exponent, and clips', async () => {
    const f = Math.hypot(2 / 6, 3 / 8);
    const damped = await pictureOf(decoderOf({ kind: 'fourier', lowPass: 0.4 }, 1), [spectrum(1, 2, 3)]);
    closeTo(damped, sigmoid(wave(2, 3, 3 * Math.exp(-((f / 0.4) ** 4)))), 3);
    const flat = await pictureOf(decoderOf({ kind: 'fourier', exponent: 0 }, 1), [spectrum(1, 2, 3)]);
    closeTo(flat, sigmoid(wave(2, 3, 3 * f)), 3);
    const clipped = await pictureOf(decoderOf({ kind: 'fourier', valid: 'clip' }, 1), [spectrum(1, 0, 0)]);
    closeTo(
      clipped,
      wave(0, 0, 3).map((value) => Math.min(255, 127.5 + 63.75 * value)),
      3,
    );
  });
});

describe('pyramid', () => {
  it('adds pictures of half the side each, enlarged', async () => {
    const decode = decoderOf({ kind: 'pyramid', levels: 3, valid: 'clip' }, 1);
    expect(decode.parameters.map(({ dims }) => dims)).toEqual([
      [1, 6, 8],
      [1, 3, 4],
      [1, 1, 2],
    ]);
    const [fine, middle] = [0, 0.1].map((value, level) =>
      new Array<number>(level === 0 ? 48 : 12).fill(value),
    ) as [number[], number[]];
    fine[0] = 0.5;
    const got = await pictureOf(decode, [
      [[1, 1, 6, 8], fine],
      [[1, 1, 3, 4], middle],
      [
        [1, 1, 1, 2],
        [0, 0.4],
      ],
    ]);
    // Two values over eight places: source = (x + 0.5) / 4 - 0.5.
    const row = [0, 0, 0.05, 0.15, 0.25, 0.35, 0.4, 0.4];
    const expected = Array.from({ length: 48 }, (_, index) => {
      return 127.5 + 63.75 * (0.1 + (row[index % 8] as number) + (index === 0 ? 0.5 : 0));
    });
    closeTo(got, expected, 3);
  });
});

describe('phase', () => {
  it('has the magnitudes 1/f whatever the phases, at one contrast around grey', async () => {
    const decode = decoderOf({ kind: 'phase', contrast: 4 }, 1);
    const feeds = feedsOf(decode, 1, Math.PI);
    const picture = (await pictureOf(decode, feeds)).map((value) => value - 127.5);
    const rms = Math.sqrt(picture.reduce((sum, value) => sum + value ** 2, 0) / picture.length);
    expect(rms).toBeCloseTo(4, 3);
    const magnitude = (ky: number, kx: number): number => {
      const part = (wave: (angle: number) => number): number =>
        picture.reduce((sum, value, index) => {
          const [y, x] = [Math.floor(index / width), index % width];
          return sum + value * wave(2 * Math.PI * ((ky * y) / height + (kx * x) / width));
        }, 0);
      return Math.hypot(part(Math.cos), part(Math.sin));
    };
    const unit = magnitude(0, 1) / 8;
    for (let ky = 0; ky < height; ky++) {
      for (let kx = 1; kx < width / 2; kx++) {
        const f = Math.hypot((ky < 3 ? ky : ky - height) / height, kx / width);
        expect(magnitude(ky, kx) * f).toBeCloseTo(unit, 3);
      }
    }
    expect(magnitude(0, 0)).toBeCloseTo(0, 3);
  });
});

describe('sphere', () => {
  it('has one contrast, and its mean moves with the colour alone', async () => {
    const decode = decoderOf({ kind: 'sphere', contrast: 10 }, 3);
    const [z, colour] = feedsOf(decode, 1) as [Feed, Feed];
    const of = async (c: readonly number[]): Promise<number[]> => {
      const pixels = await pictureOf(decode, [z, [colour[0], c]]);
      return pixels.map((value, index) => value - (caffe[Math.floor(index / height / width)] as number));
    };
    for (const c of [
      [0, 0, 0],
      [1, -2, 0.5],
    ]) {
      const picture = await of(c);
      const rms = Math.sqrt(picture.reduce((sum, value) => sum + value ** 2, 0) / picture.length);
      expect(rms).toBeCloseTo(10, 3);
      const means = [0, 1, 2].map(
        (channel) =>
          picture.slice(channel * 48, (channel + 1) * 48).reduce((sum, value) => sum + value, 0) / 48,
      );
      // n(unit + c): the mean of channel k is 10 · c_k / √(1 + mean c²).
      const length = Math.sqrt(1 + c.reduce((sum, value) => sum + value ** 2, 0) / 3);
      closeTo(
        means,
        c.map((value) => (10 * value) / length),
        3,
      );
    }
  });

  it('is the pure colour where the structure weighs nothing', async () => {
    const decode = decoderOf({ kind: 'sphere', contrast: 10, structureRate: 1 }, 3);
    const [z, colour] = feedsOf(decode, 1) as [Feed, Feed];
    const pixels = await pictureOf(decode, [z, [colour[0], [3, 0, 0]], [[1, 1, 1, 1], [-1]]]);
    // n((3, 0, 0)) = (√3, 0, 0).
    closeTo(
      pixels,
      pixels.map(
        (_, index) => (caffe[Math.floor(index / 48)] as number) + (index < 48 ? 10 * Math.sqrt(3) : 0),
      ),
      3,
    );
  });
});
