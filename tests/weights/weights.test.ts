import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LayeredFile, ModelFile } from '../../pipeline/content.ts';
import { rememberGiven } from '../../pipeline/weights/given.ts';
import { downloadDisk } from '../../pipeline/weights/partial.ts';
import {
  fetchWeights,
  findWeights,
  type WeightsEffects,
  type WeightsEvent,
  whatIsMissing,
} from '../../pipeline/weights/weights.ts';
import { answers, sends, serve } from './server.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-weights-'));
});
afterEach(() => rm(folder, { recursive: true }));

const effects = (): WeightsEffects => ({
  folder,
  fetch,
  files: downloadDisk,
  patience: { stallMs: 20_000, waitsMs: [] },
  signal: new AbortController().signal,
  emit: () => {},
});

/** No request may be made. */
const offline = (): WeightsEffects => ({
  ...effects(),
  fetch: (url) => Promise.reject(new Error(`asked for ${url}`)),
});

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const kept = (text: string, more: Partial<LayeredFile> = {}): LayeredFile => ({
  file: `${text}.h5`,
  url: 'http://127.0.0.1:9/file',
  bytes: text.length,
  checksum: sha256(text),
  ...more,
});

function model(weights: ModelFile['weights'], content: Partial<ModelFile['content']> = {}): ModelFile {
  const written = { title: 'Net', weights: '', input: { scaling: '0..1' as const }, recipe: 'phosphene' };
  return { slug: 'net', file: 'net.json', weights, content: { ...written, recipes: {}, ...content } };
}

const small = kept('small', { layers: ['conv1', 'conv2'] });
const whole = kept('whole', { layers: ['conv1', 'conv2', 'fc1', 'scores'] });

describe('fetchWeights', () => {
  it('leaves a model whose file lies beside it alone, there or not', async () => {
    const found = await fetchWeights(model('/models/net.h5'), {}, offline());
    expect(found.weightsFile).toBe('/models/net.h5');
  });

  it('fetches a file once', async () => {
    await using server = await serve(sends(bytesOf('weights')), answers(404));
    const one = model([kept('weights', { url: server.url })]);
    const place = join(folder, 'weights.h5');
    expect(await findWeights(one, {}, effects())).toBeUndefined();
    expect((await fetchWeights(one, {}, effects())).weightsFile).toBe(place);
    expect(await readFile(place, 'utf8')).toBe('weights');
    expect((await fetchWeights(one, {}, offline())).weightsFile).toBe(place);
    expect((await findWeights(one, {}, offline()))?.weightsFile).toBe(place);
    expect(server.asked).toHaveLength(1);
  });

  it('uses a file that people have put there, without any network', async () => {
    await writeFile(join(folder, 'weights.h5'), 'weights');
    const found = await fetchWeights(model([kept('weights')]), {}, offline());
    expect(found.weightsFile).toBe(join(folder, 'weights.h5'));
  });

  it.each([
    ['of another length', 'weight', /\(7 bytes\), found another \(6 bytes\)/],
    ['with other bytes', 'weighty', /\(sha256:[0-9a-f]{64}\), found another \(sha256:[0-9a-f]{64}\)/],
  ])('tells of a file %s, and leaves it', async (_, text, difference) => {
    const place = join(folder, 'weights.h5');
    await writeFile(place, text);
    const { message } = await fetchWeights(model([kept('weights')]), {}, offline()).then(
      () => new Error('found'),
      (error: Error) => error,
    );
    expect(message).toMatch(
      /^Expected .*weights\.h5 to be the known file of that name .*: remove it so that it can be fetched, or give it with --weights FILE if it is the one that you mean$/,
    );
    expect(message).toMatch(difference);
    expect(await readFile(place, 'utf8')).toBe(text);
  });

  it('tells of a folder in place of the file', async () => {
    await mkdir(join(folder, 'weights.h5'));
    await expect(fetchWeights(model([kept('weights')]), {}, offline())).rejects.toThrow(
      '(a file), found another (a folder)',
    );
  });

  it('says where a file belongs that is not to be had by a download', async () => {
    const one = model([{ file: 'any.onnx' }], { source: 'https://example.org/net' });
    await expect(fetchWeights(one, {}, offline())).rejects.toThrow(
      `Expected the weights of 'net' (https://example.org/net) at ${join(folder, 'any.onnx')}, found nothing there: put a model file there, or give one with --weights FILE`,
    );
    await writeFile(join(folder, 'any.onnx'), 'any bytes');
    expect((await fetchWeights(one, {}, offline())).weightsFile).toBe(join(folder, 'any.onnx'));
  });
});

describe('the file of several', () => {
  const files = [small, whole];
  it.each<[string, string[] | undefined, string[] | undefined, string]>([
    ['what the content file shows', ['conv*'], undefined, 'small'],
    ['all, where nothing is said', undefined, undefined, 'whole'],
    ['a layer of the command line', undefined, ['conv2'], 'small'],
    [
      'a layer that only the second has, though the content file does not show it',
      ['conv*'],
      ['fc1'],
      'whole',
    ],
    ['a pattern that goes beyond the first', ['conv*'], ['*1'], 'whole'],
  ])('is the first that has %s', async (_, shown, layers, expected) => {
    await writeFile(join(folder, 'small.h5'), 'small');
    await writeFile(join(folder, 'whole.h5'), 'whole');
    const one = model(files, shown === undefined ? {} : { layers: shown });
    expect((await findWeights(one, { layers }, offline()))?.weightsFile).toBe(join(folder, `${expected}.h5`));
  });

  it('is one that lies here already, though another would be fetched', async () => {
    await writeFile(join(folder, 'whole.h5'), 'whole');
    const found = await fetchWeights(model(files), { layers: ['conv1'] }, offline());
    expect(found.weightsFile).toBe(join(folder, 'whole.h5'));
  });

  it('is not asked for before the layers are known to be there', async () => {
    const one = model(files);
    await expect(fetchWeights(one, { layers: ['conv3'] }, offline())).rejects.toMatchObject({
      exitCode: 2,
      message: "--layers: 'net' has no layer 'conv3'; did you mean 'conv1'?",
    });
  });

  it('is told where none has all layers', async () => {
    const one = model([small, kept('top', { layers: ['fc1'] })]);
    await expect(findWeights(one, {}, offline())).rejects.toThrow(
      "content/models/net.json: expected 'weights' to have a file with all of conv1, conv2, fc1, found none",
    );
  });
});

describe('a file that was given', () => {
  const own = (): string => join(folder, 'own.h5');
  async function find(one: ModelFile): Promise<{ file: string | undefined; events: WeightsEvent[] }> {
    const events: WeightsEvent[] = [];
    const found = await findWeights(one, {}, { ...offline(), emit: (event) => void events.push(event) });
    return { file: found?.weightsFile, events };
  }
  const given = (isThere: boolean): WeightsEvent => ({
    ...{ kind: 'given', model: 'net', file: own(), note: join(folder, '.given/net.json'), isThere },
  });

  it('is taken from then on, before those that are kept', async () => {
    await writeFile(own(), 'own');
    await writeFile(join(folder, 'small.h5'), 'small');
    expect(await rememberGiven('net', own(), folder, downloadDisk)).toBe(true);
    expect(await rememberGiven('net', own(), folder, downloadDisk)).toBe(false);
    expect(await find(model([small]))).toEqual({ file: own(), events: [given(true)] });
    expect(await find({ ...model([small]), slug: 'other' })).toEqual({
      file: join(folder, 'small.h5'),
      events: [],
    });
  });

  it('gives way to the last that was given', async () => {
    await writeFile(own(), 'own');
    await rememberGiven('net', join(folder, 'first.h5'), folder, downloadDisk);
    expect(await rememberGiven('net', own(), folder, downloadDisk)).toBe(true);
    expect((await find(model([small]))).file).toBe(own());
  });

  it('that is gone is told, and what is kept is taken', async () => {
    await rememberGiven('net', own(), folder, downloadDisk);
    expect(await find(model([small]))).toEqual({ file: undefined, events: [given(false)] });
    await writeFile(join(folder, 'small.h5'), 'small');
    expect((await find(model([small]))).file).toBe(join(folder, 'small.h5'));
  });

  it('is none where the note of it is damaged', async () => {
    await rememberGiven('net', own(), folder, downloadDisk);
    await writeFile(join(folder, '.given/net.json'), '{"file": 3}');
    expect(await find(model([small]))).toEqual({ file: undefined, events: [] });
  });

  it('does not stand in for a file that the content file names itself', async () => {
    await rememberGiven('net', own(), folder, downloadDisk);
    expect(await find(model('/models/net.h5'))).toEqual({ file: '/models/net.h5', events: [] });
  });
});

describe('whatIsMissing', () => {
  it('says what there is to download, or to put somewhere', () => {
    expect(whatIsMissing(model([small, whole]), { layers: ['conv1'] }, folder)).toBe(
      'small.h5 (5 bytes) is not downloaded yet',
    );
    expect(whatIsMissing(model([{ file: 'a.onnx' }]), {}, folder)).toBe(
      `${join(folder, 'a.onnx')} is missing`,
    );
  });
});
