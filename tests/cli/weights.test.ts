/** Models whose weights do not lie beside their content files, as users meet them. */

import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { galleryIndex } from '../../content/schema.ts';
import { fixturePath, fixturesMissing, ifMissing } from '../fixtures.ts';
import { answers, sends, serve } from '../weights/server.ts';
import { project, quickContent, run } from './run.ts';

const weightsFile = join(project, 'content/weights/mnist.keras');
const quick = ['--layers', 'conv2d_1', '--units', '0'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-cli-weights-'));
  await quickContent(folder);
});
afterEach(() => rm(folder, { recursive: true }));

/** A second model beside `mnist`, the same network from a server. */
async function addRemote(url: string): Promise<void> {
  const bytes = await readFile(weightsFile);
  const checksum = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const content = {
    title: 'Remote',
    weights: { file: 'remote.keras', url, bytes: bytes.length, checksum },
    layers: ['conv2d_1'],
    recipe: { preset: 'mnist-filters', steps: 1 },
  };
  await writeFile(join(folder, 'content/models/remote.json'), JSON.stringify(content));
}

const published = async (): Promise<string[]> =>
  galleryIndex
    .parse(JSON.parse(await readFile(join(folder, 'content/gallery/index.json'), 'utf8')))
    .models.map(({ slug }) => slug);

describe('a model whose weights are fetched', () => {
  it('is fetched once when it is named, and published from then on', async () => {
    await using server = await serve(sends(await readFile(weightsFile)), answers(404));
    await addRemote(server.url);

    const dry = await run(['render', 'remote', '--dry-run'], folder);
    expect(dry.stderr).toMatch(/^Left out remote: remote\.keras \([\d.]+ .B\) is not downloaded yet\n$/);
    expect(server.asked).toEqual([]);

    const first = await run(['render', 'remote', ...quick], folder);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 unit rendered/) });
    expect(first.stderr).toMatch(/^Downloading remote\.keras \([\d.]+ .B\) from 127\.0\.0\.1:\d+\n/);
    expect(await readdir(join(folder, '.cache/weights'))).toEqual(['remote.keras']);
    const second = await run(['render', 'remote', ...quick], folder);
    expect(second).toMatchObject({ code: 0, stdout: 'Nothing to render: all 1 unit are in the store.\n' });
    expect(server.asked).toEqual(['- -']);

    expect(await run(['publish'], folder)).toMatchObject({ code: 0 });
    expect(await published()).toEqual(['remote']);
  });

  it('is left alone where no model is named: the gallery is made without a network', async () => {
    await using server = await serve(answers(500));
    await addRemote(server.url);
    const rendered = await run(['render', ...quick], folder);
    expect(rendered.code).toBe(0);
    expect(rendered.stderr).toMatch(
      /^Left out remote: their weights do not come with the project; phosphene render NAME renders one\n/,
    );
    const publishing = await run(['publish'], folder);
    expect(publishing.code).toBe(0);
    expect(publishing.stderr).toContain('Left out remote: their weights are not in .cache/weights\n');
    expect(await published()).toEqual(['mnist']);
    expect(server.asked).toEqual([]);
  });

  it('is asked for by name where there is no other', async () => {
    await addRemote('http://127.0.0.1:9/x');
    await rm(join(folder, 'content/models/mnist.json'));
    expect(await run(['render'], folder)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^phosphene: Expected the name of a model, found none: .* render remote\n$/,
      ),
    });
  });

  it('says behind a firewall, in one line, what to fetch, where to put it, and how to do without', async () => {
    await using server = await serve(answers(403));
    await addRemote(server.url);
    const { code, stdout, stderr } = await run(['render', 'remote'], folder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const [, message, ...more] = stderr.trimEnd().split('\n');
    expect(more).toEqual([]);
    expect(message).toMatch(
      new RegExp(
        `^phosphene: Expected to download remote\\.keras \\([\\d.]+ .B\\), but 127\\.0\\.0\\.1:\\d+ answered 403 \\(Forbidden\\): fetch ${server.url} by other means and put it at \\.cache/weights/remote\\.keras, or give a file that you have with --weights FILE$`,
      ),
    );

    const given = await run(['render', 'remote', ...quick, '--weights', weightsFile], folder);
    expect(given).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 unit rendered/) });
    expect(given.stderr).toContain(
      `Weights of remote: ${weightsFile} from now on, for phosphene publish too\n`,
    );
    const publishing = await run(['publish'], folder);
    expect(publishing.stderr).toContain(
      `Weights of remote: ${weightsFile}, as given with --weights (noted in`,
    );
    expect(publishing.stdout).toMatch(/^1 unit published/);
    expect(await published()).toEqual(['remote']);

    await rm(join(folder, '.cache/weights/.given/remote.json'));
    await writeFile(join(folder, '.cache/weights/remote.keras'), await readFile(weightsFile));
    const put = await run(['render', 'remote', ...quick], folder);
    expect(put).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing to render/) });
    expect(server.asked).toHaveLength(1);
  });
});

describe.skipIf(fixturesMissing)(`models of the registry, their weights given${ifMissing}`, () => {
  it.each([
    ['vgg16', 'vgg16_blocks1-2_notop.h5', 'block1_conv1'],
    ['googlenet', 'googlenet.onnx', 'conv1/7x7_s2'],
  ])('%s is rendered from %s and published', async (slug, file, layer) => {
    const weights = fixturePath('../data/models', file);
    await rm(join(folder, 'content/models'), { recursive: true });
    for (const part of [`models/${slug}.json`, 'classes'])
      await cp(join(project, 'content', part), join(folder, 'content', part), { recursive: true });
    const args = ['render', slug, '--layers', layer, '--units', '3', '--weights', weights];

    const dry = await run([...args, '--dry-run'], folder);
    expect(dry.stdout).toContain('1 of 1 unit to render');
    await expect(readdir(join(folder, '.cache'))).rejects.toThrow('ENOENT');

    const rendered = await run(args, folder);
    expect(rendered).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 unit rendered/) });
    const { code, stdout } = await run(['publish', '--json'], folder);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ models: 1, layers: 1, units: { published: 1 } });
    expect(await published()).toEqual([slug]);
  });
});
