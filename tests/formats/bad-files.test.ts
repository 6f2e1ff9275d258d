/** Whatever a file holds, a person gets a network or one sentence. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PhospheneError } from '../../pipeline/error.ts';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { readModelFile } from '../../pipeline/formats/read.ts';

const keras = join(import.meta.dirname, '../../content/weights/mnist.keras');

async function sentence(bytes: Uint8Array): Promise<string> {
  const sibling = async (): Promise<never> => {
    throw new Error('no sibling is expected to be read');
  };
  return await sentenceOf(() => loadNetwork({ name: 'model.keras', bytes, sibling }));
}

async function sentenceOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(PhospheneError);
    const { message, exitCode } = error as PhospheneError;
    expect(exitCode).toBe(1);
    expect(message).not.toMatch(/\n/);
    expect(message.length).toBeLessThan(500);
    return message;
  }
  throw new Error('nothing was thrown');
}

const json = (value: unknown): Uint8Array => strToU8(JSON.stringify(value));

describe('a bad file', () => {
  it('that is empty is called empty', async () => {
    expect(await sentence(new Uint8Array())).toBe(
      "Expected a model in 'model.keras', found an empty file: export or download it again.",
    );
  });

  it('of text is called text, whatever its name', async () => {
    expect(await sentence(strToU8('Once upon a time'))).toMatch(
      /^Expected 'model.keras' to be a model file .*, found text: /,
    );
  });

  it('of unknown bytes is called unknown', async () => {
    expect(await sentence(new Uint8Array([1, 2, 3, 0, 255]))).toMatch(/found unknown binary data/);
  });

  it.each([20, 1000, 100_000, -1])('.keras cut after %d bytes is called damaged', async (bytes) => {
    const whole = await readFile(keras);
    expect(await sentence(whole.subarray(0, bytes))).toMatch(/'model.keras' .* damaged or cut short/);
  });

  it('zip without config.json is no Keras archive', async () => {
    expect(await sentence(zipSync({ 'readme.txt': strToU8('hello') }))).toMatch(/zip without 'config.json'/);
  });

  it('zip whose weights are no HDF5 file is called damaged', async () => {
    const config = json({ class_name: 'Sequential', config: { layers: [] } });
    expect(await sentence(zipSync({ 'config.json': config, 'model.weights.h5': strToU8('no') }))).toMatch(
      /damaged or cut short/,
    );
  });

  it('zip that claims a gigabyte made from a few bytes is refused before memory is given to it', async () => {
    const bytes = zipSync({ 'config.json': new Uint8Array(100), 'model.weights.h5': new Uint8Array(10) });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    // The size before compression, in the first entry of the archive's directory.
    for (let at = 0; at < bytes.length - 4; at++) {
      if (view.getUint32(at, true) === 0x02014b50) {
        view.setUint32(at + 24, 2 ** 30, true);
        break;
      }
    }
    expect(await sentence(bytes)).toMatch(/'config.json' .* claims 1073741824 bytes/);
  });

  it('config that is no JSON is called damaged', async () => {
    const bytes = zipSync({
      'config.json': strToU8('{"class_name":'),
      'model.weights.h5': new Uint8Array(9),
    });
    expect(await sentence(bytes)).toMatch(/config.json of 'model.keras' to be JSON/);
  });

  it('config of a subclassed model names the class', async () => {
    const config = json({ class_name: 'MyNet', config: {} });
    expect(await sentence(zipSync({ 'config.json': config, 'model.weights.h5': new Uint8Array(9) }))).toMatch(
      /its class 'MyNet' is neither Sequential nor Functional/,
    );
  });

  it('config nested a thousand deep is refused', async () => {
    let config: object = { class_name: 'Dense', config: {} };
    for (let depth = 0; depth < 1000; depth++) {
      config = { class_name: 'Sequential', config: { name: `m${depth}`, layers: [config] } };
    }
    const bytes = zipSync({ 'config.json': json(config), 'model.weights.h5': new Uint8Array(9) });
    expect(await sentence(bytes)).toMatch(/nested more than 16 deep/);
  });
});

describe('a model', () => {
  it('that calls itself through nested models without end in sight is refused', async () => {
    const reference = (layer: string, node = 0) => ({
      class_name: '__keras_tensor__',
      config: { keras_history: [layer, node, 0] },
    });
    let inner: object = {
      class_name: 'Sequential',
      name: 'deep',
      config: {
        name: 'deep',
        layers: [{ class_name: 'Dropout', config: { name: 'd', batch_shape: [null, 8, 8, 1] } }],
      },
    };
    for (let depth = 0; depth < 15; depth++) {
      const name = `m${depth}`;
      const calls = [0, 1, 2, 3].map((node) => ({
        args: [node === 0 ? reference('x') : reference('deep', node - 1)],
        kwargs: {},
      }));
      const called = {
        ...inner,
        config: { ...(inner as { config: object }).config, name: 'deep' },
        inbound_nodes: calls,
      };
      inner = {
        class_name: 'Functional',
        config: {
          name,
          layers: [
            {
              class_name: 'InputLayer',
              config: { name: 'x', batch_shape: [null, 8, 8, 1] },
              inbound_nodes: [],
            },
            called,
          ],
          input_layers: [['x', 0, 0]],
          output_layers: [['deep', 3, 0]],
        },
      };
    }
    const model = { modelTopology: { keras_version: '3', model_config: inner }, weightsManifest: [] };
    expect(await sentence(json(model))).toMatch(/at most 50000 times/);
  });
});

describe('a path', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phosphene-'));
    await writeFile(join(folder, 'model.json'), '{}');
  });
  afterAll(async () => await rm(folder, { recursive: true }));

  it('at which nothing lies', async () => {
    expect(await sentenceOf(() => readModelFile(join(folder, 'none.keras')))).toMatch(
      /found nothing there: check the path\.$/,
    );
  });

  it('of a folder', async () => {
    expect(await sentenceOf(() => readModelFile(folder))).toMatch(/found a folder/);
  });

  it.each(['../secret', '/etc/passwd', 'a/../../b', 'shard\0'])(
    'beside a model that leaves its folder is not read: %s',
    async (name) => {
      const file = await readModelFile(join(folder, 'model.json'));
      expect(await sentenceOf(() => file.sibling(name))).toMatch(/nothing outside that folder is read/);
    },
  );
});
