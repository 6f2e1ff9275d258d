/** A model that the project has never seen, on the command line: an ONNX network in colour that takes any size. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { galleryIndex, galleryLayer, modelContent } from '../../content/schema.ts';
import { renderCommand } from '../../pipeline/commands/render.ts';
import type { Terminal } from '../../pipeline/commands/terminal.ts';
import type { Event } from '../../pipeline/events.ts';
import { encodeModel } from '../../pipeline/network/onnx.ts';
import { colourGraph } from '../ascent/colour.ts';
import { fixturePath, fixturesMissing, ifMissing } from '../fixtures.ts';
import { run } from './run.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-own-'));
  await writeFile(join(folder, 'flowers.onnx'), encodeModel(colourGraph()));
});
afterEach(() => rm(folder, { recursive: true }));

const quick = ['--steps', '2', '--units', '0-1'];
const read = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(join(folder, path), 'utf8').catch(() => 'null'));
const contentFile = 'content/models/flowers.json';

describe('a model with nothing but its content file', () => {
  it('renders and is published, each layer at a size of its own', async () => {
    await mkdir(join(folder, 'content/models'), { recursive: true });
    const recipe = { preset: 'phosphene', steps: 2, attempts: 1 };
    const classes = ['daisy', 'rose', 'tulip', 'violet'];
    const content = { title: 'Flowers', weights: '../../flowers.onnx', recipe, classes };
    await writeFile(join(folder, contentFile), JSON.stringify(content));

    const rendered = await run(['render', '--json'], folder);
    expect(JSON.parse(rendered.stdout).units).toEqual({ total: 15, fresh: 0, rendered: 15, failed: 0 });
    expect((await run(['publish'], folder)).code).toBe(0);

    const { models } = galleryIndex.parse(await read('content/gallery/index.json'));
    expect(models[0]).toMatchObject({
      slug: 'flowers',
      title: 'Flowers',
      format: 'onnx',
      parameters: 6 * 27 + 6 + 5 * 54 + 4 * 5,
      input: { channels: 3, heightPx: null, widthPx: null, scaling: '0..1' },
    });
    const layers = models[0]?.layers.map(({ name, kind, output, receptiveFieldPx, picture }) => [
      ...[name, kind, output, receptiveFieldPx, picture.widthPx],
    ]);
    expect(layers).toEqual([
      ['conv1', 'conv', [6, 62, 62], 3, 64],
      ['conv2', 'conv', [5, 29, 29], 8, 64],
      ['classes', 'scores', [4], null, 224],
    ]);
    const scores = galleryLayer.parse(await read(`content/gallery/${models[0]?.layers[2]?.file}`));
    expect(scores.units.map(({ label, image }) => [label, image.widthPx])).toEqual(
      classes.map((label) => [label, 224]),
    );
  });
});

describe('phosphene inspect FILE', () => {
  it('shows what phosphene render would do: sizes of pictures, and the content file that is assumed', async () => {
    const { code, stdout } = await run(['inspect', 'flowers.onnx'], folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^conv2 +conv +5 +5 × free × free +8 px +64 × 64 +yes$/m);
    expect(stdout).toMatch(/^classes +scores +4 +4 +all +224 × 224 +yes$/m);
    expect(stdout).toMatch(/^No content file names flowers\.onnx; this one is assumed:$/m);
    expect(stdout).toMatch(/^layers {3}all 3 layers, conv1 to classes; /m);
    const { model } = JSON.parse((await run(['inspect', 'flowers.onnx', '--json'], folder)).stdout);
    expect(model).toMatchObject({ slug: 'flowers', file: contentFile, assumed: true });
    expect(model.content).toMatchObject({ title: 'flowers', input: { scaling: '0..1' } });
  });

  it('goes by the content file that names the model file', async () => {
    await mkdir(join(folder, 'content/models'), { recursive: true });
    const content = { title: 'Flowers', weights: '../../flowers.onnx', input: { sizePx: 48 } };
    await writeFile(join(folder, contentFile), JSON.stringify(content));
    const { stdout } = await run(['inspect', './flowers.onnx'], folder);
    expect(stdout).toMatch(/^conv2 .* 48 × 48 +yes$/m);
    expect(stdout).toMatch(
      /^It is the model 'flowers': phosphene render goes by content\/models\/flowers\.json\.$/m,
    );
  });
});

describe.skipIf(fixturesMissing)(`a model file with a Lambda layer${ifMissing}`, () => {
  it('says how to tell what the layer computes, and keeps what is told in the content file', async () => {
    const file = fixturePath('../data/keras-models/naokishibuya_pilotnet_model.h5');
    const args = ['render', file, '--layers', 'convolution2d_1', ...quick];
    const refused = await run(args, folder);
    expect(refused.code).toBe(1);
    const [, option = ''] = / e\.g\. --lambda '([^']*)',/.exec(refused.stderr) ?? [];
    expect(option).toBe('lambda_1=x / 127.5 - 1');

    const told = await run([...args, '--lambda', option, '--write'], folder);
    expect(told).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2 units rendered in /m) });
    expect(await read('content/models/naokishibuya_pilotnet_model.json')).toMatchObject({
      input: { scaling: 'none' },
      lambdas: { lambda_1: 'x / 127.5 - 1' },
    });
    expect((await run(args, folder)).stdout).toBe('Nothing to render: all 2 units are in the store.\n');
    const late = await run([...args, '--lambda', option], folder);
    expect(late.stderr).toMatch(/^phosphene: --lambda is for a model file without a content file/m);
  });
});

describe('phosphene render FILE', () => {
  it('prints the content file that it assumes, and renders', async () => {
    const { code, stdout } = await run(['render', 'flowers.onnx', '--layers', 'conv1', ...quick], folder);
    expect(code).toBe(0);
    const [, json = ''] = /^(\{[\s\S]*?^\})/m.exec(stdout) ?? [];
    expect(modelContent.parse(JSON.parse(json))).toMatchObject({
      title: 'flowers',
      weights: '../../flowers.onnx',
      input: { scaling: '0..1' },
      recipe: 'phosphene',
    });
    expect(stdout).toMatch(/^scaling {2}nothing in the file says it; if pictures look wrong, try -1\.\.1/m);
    expect(stdout).toMatch(/^--write keeps it as content\/models\/flowers\.json/m);
    expect(stdout).toMatch(/^2 units rendered in /m);
    expect(await read(contentFile)).toBeNull();
  });

  it('--write keeps the content file, and what is rendered is what that file renders', async () => {
    await mkdir(join(folder, 'content'));
    await writeFile(join(folder, 'content/model.schema.json'), '{}');
    const args = ['render', 'flowers.onnx', '--layers', 'conv1', ...quick];
    const first = await run([...args, '--write'], folder);
    expect(first.stderr).toMatch(
      /^Wrote content\/models\/flowers\.json; phosphene publish shows the model$/m,
    );
    expect(await read(contentFile)).toEqual({
      $schema: '../model.schema.json',
      title: 'flowers',
      weights: '../../flowers.onnx',
      input: { scaling: '0..1' },
      recipe: 'phosphene',
    });
    const again = await run(args, folder);
    expect(again).toEqual({
      code: 0,
      stdout: 'Nothing to render: all 2 units are in the store.\n',
      stderr: "flowers.onnx is the model 'flowers' of content/models/flowers.json\n",
    });
    for (const named of ['flowers', contentFile]) {
      const ended = await run(['render', named, ...args.slice(2)], folder);
      expect(ended).toMatchObject({ stdout: again.stdout, stderr: '' });
    }
    const other = await run(
      ['render', 'flowers', '--layers', 'conv1', '--units', '0', '--steps', '1'],
      folder,
    );
    expect(other.stderr).toContain(
      'phosphene publish shows flowers as content/models says, not with --steps: write there what shall be published\n',
    );
  });

  it('--json prints one document and tells what is assumed on stderr', async () => {
    const args = ['render', 'flowers.onnx', '--json', '--write', '--layers', 'conv1', ...quick];
    const { stdout, stderr } = await run(args, folder);
    expect(JSON.parse(stdout).units).toEqual({ total: 2, fresh: 0, rendered: 2, failed: 0 });
    const [, json = ''] = /^Assumed content\/models\/flowers\.json: (.*)$/m.exec(stderr) ?? [];
    expect(JSON.parse(json)).toEqual(await read(contentFile));
    expect(stderr).toMatch(/^Assumed scaling: nothing in the file says it/m);
  });

  it('never replaces a content file: one of that name that means another model stays', async () => {
    await mkdir(join(folder, 'content/models'), { recursive: true });
    const other = JSON.stringify({ title: 'Other', weights: 'other.onnx' });
    await writeFile(join(folder, contentFile), other);
    const { code, stderr } = await run(['render', 'flowers.onnx', '--write', ...quick], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^phosphene: --write would make content\/models\/flowers\.json, but there is one/);
    expect(await readFile(join(folder, contentFile), 'utf8')).toBe(other);
  });

  it.each<[string[], number, RegExp]>([
    [['nowhere.onnx'], 1, /Expected a model file at 'nowhere\.onnx', found nothing there/],
    [
      ['flowers.onnx', '--weights', 'x.onnx'],
      2,
      /--weights is for a model of content\/models, found the model/,
    ],
    [
      ['flowers.onnx', '--layers', 'conv3'],
      2,
      /--layers: 'flowers' has no layer 'conv3'; did you mean 'conv\d'/,
    ],
    [['--write'], 2, /--write keeps what is assumed of a model file, found none/],
  ])('%j ends with %i and one line', async (args, code, line) => {
    const ended = await run(['render', ...args, '--json'], folder);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(line);
    expect(ended.stdout).toBe('');
  });
});

describe('phosphene render FILE, where a person can be asked', () => {
  /** Renders in this process; returns the questions asked and what was printed. */
  async function answered(answer: boolean, args: readonly string[]) {
    const questions: string[] = [];
    const events: Event[] = [];
    let printed = '';
    const terminal: Terminal = {
      print: (text) => {
        printed += text;
      },
      emit: (event) => void events.push(event),
      settle: () => {},
      ask: async (question) => {
        questions.push(question);
        return answer;
      },
      signal: new AbortController().signal,
      exitCode: 0,
    };
    const places = ['--content', join(folder, 'content'), '--store', join(folder, 'store')];
    const words = [join(folder, 'flowers.onnx'), '--layers', 'conv1', ...quick, ...places, ...args];
    await renderCommand(terminal).parseAsync(words, { from: 'user' });
    return { questions, events, printed };
  }

  it('a yes writes the content file', async () => {
    const { questions, events } = await answered(true, []);
    expect(questions).toEqual([
      expect.stringMatching(/^Write .*flowers\.json, so that phosphene publish shows/),
    ]);
    expect(events.filter(({ kind }) => kind === 'written')).toHaveLength(1);
    expect(await read(contentFile)).toMatchObject({ title: 'flowers', weights: '../../flowers.onnx' });
  });

  it('anything else does not, and the model is rendered all the same', async () => {
    const { questions, printed } = await answered(false, []);
    expect(questions).toHaveLength(1);
    expect(printed).toMatch(/2 units rendered/);
    expect(await read(contentFile)).toBeNull();
  });

  it.each([['--json'], ['--dry-run']])('with %s nobody is asked', async (option) => {
    expect((await answered(true, [option])).questions).toEqual([]);
    expect(await read(contentFile)).toBeNull();
  });
});
