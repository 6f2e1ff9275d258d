import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { project, quickContent, run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-bad-'));
  await quickContent(folder);
  const weights = await readFile(join(project, 'content/weights/mnist.keras'));
  await writeFile(join(folder, 'half.keras'), weights.subarray(0, weights.length / 2));
  await writeFile(join(folder, 'text.keras'), 'These are no weights.\n');
  await writeFile(join(folder, 'empty.keras'), '');
  await writeFile(join(folder, 'recipe.json'), '{"preset": "mnist-filters", "setps": 3}');
  await writeFile(join(folder, 'negative.json'), '{"preset": "mnist-filters", "steps": -3}');
  await writeFile(join(folder, 'broken.json'), '{"preset": ');
  await mkdir(join(folder, 'bad/models'), { recursive: true });
  await writeFile(join(folder, 'bad/models/a.json'), '{"title": "A", "weigths": "a.keras"}');
});
afterAll(() => rm(folder, { recursive: true }));

/** Exit code, and what the one line on stderr says. */
const cases: [args: string[], code: number, line: RegExp][] = [
  [['inspect', 'nothing.keras'], 1, /Expected a model file at 'nothing\.keras', found nothing there/],
  [['inspect', 'half.keras'], 1, /Expected 'half\.keras' to be a whole zip archive/],
  [['inspect', 'text.keras'], 1, /Expected 'text\.keras' to be a model file .* found text/],
  [['inspect', 'empty.keras'], 1, /Expected a model in 'empty\.keras', found an empty file/],
  [['inspect', 'content'], 1, /Expected a model file at 'content', found a folder/],
  [['inspect'], 2, /missing required argument 'file'/],
  [
    ['render', '--weights', 'nothing.keras'],
    1,
    /Expected a model file at 'nothing\.keras', found nothing there/,
  ],
  [['render', '--weights', 'half.keras'], 1, /half\.keras/],
  [['render', '--weights', 'text.keras'], 1, /Expected 'text\.keras' to be a model file .* found text/],
  [['render', 'minst'], 2, /no model 'minst' in content\/models; did you mean 'mnist'\?$/],
  [['render', '--layers', 'conv2d1'], 2, /no layer 'conv2d1'; did you mean 'conv2d_1'\?$/],
  [['render', '--layers', ','], 2, /'--layers <names>' argument ',' is wrong: Expected names or patterns/],
  [
    ['render', '--layers', 'dense_3', '--units', '500'],
    2,
    /Expected --units to name units of 'dense_3' \(0 to 9\) of 'mnist', found none/,
  ],
  [['render', '--units', '3-1'], 2, /'--units <numbers>' argument '3-1' is wrong: Expected units from 0/],
  [['render', '--units', '0-9999999999'], 2, /is wrong: Expected units from 0/],
  [['render', '--recipe', 'recipe.json'], 2, /recipe\.json: unknown field 'setps'; did you mean 'steps'\?$/],
  [['render', '--recipe', 'negative.json'], 2, /negative\.json: 'steps' must be 0 or more, found -3$/],
  [['render', '--recipe', 'broken.json'], 2, /broken\.json: expected JSON, found a mistake/],
  [
    ['render', '--recipe', 'none.json'],
    2,
    /--recipe: expected a recipe's name \(.*\) or a JSON file, found no file none\.json/,
  ],
  [['render', '--recipe', 'mnist-filter'], 2, /no recipe 'mnist-filter'; did you mean 'mnist-filters'\?$/],
  [
    ['render', '--steps', '-5'],
    2,
    /'--steps <n>' argument '-5' is wrong: Expected a whole number from 0 to 100000$/,
  ],
  [['render', '--steps=-5'], 2, /argument '-5' is wrong/],
  [['render', '--steps', '1.5'], 2, /argument '1\.5' is wrong/],
  [['render', '--batch', '0'], 2, /argument '0' is wrong: Expected a whole number from 1/],
  [['render', '--size', 'big'], 2, /argument 'big' is wrong/],
  [['render', '--size', '64'], 2, /takes pictures of 28×28 px and no others, found a size of 64/],
  [
    ['render', '--engine', 'cpus'],
    2,
    /argument 'cpus' is wrong: Expected one of auto, cpu, webgpu, cuda, tfjs; did you mean 'cpu'\?$/,
  ],
  [['render', '--setps', '3'], 2, /unknown option '--setps' \(Did you mean --steps\?\)$/],
  [['rendr'], 2, /unknown command 'rendr' \(Did you mean render\?\)$/],
  [['publish', 'mnist'], 2, /too many arguments for 'publish'/],
  [
    ['render', '--content', 'bad'],
    2,
    /bad\/models\/a\.json: unknown field 'weigths'; did you mean 'weights'\?$/,
  ],
  [
    ['publish', '--content', 'nowhere'],
    2,
    /Expected a folder with the models' JSON files at nowhere\/models, found none/,
  ],
  [
    ['render', '--store', 'recipe.json'],
    1,
    /Expected a place that can be written at recipe\.json, .*\(a file stands where a folder should be\)/,
  ],
  [['render', '--store', '/proc/store'], 1, /Expected a place that can be written at \/proc\/store/],
];

describe('the command line, given something wrong', () => {
  it.each(cases)('phosphene %j ends with %i and one line, no stack', async (args, code, line) => {
    const ended = await run(args, folder);
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.stderr).toMatch(/^phosphene: /);
    expect(ended.stderr.trimEnd()).toMatch(line);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(ended.stdout).toBe('');
    expect(ended.code).toBe(code);
  });

  it('adds the stack when it is asked for it', async () => {
    const { code, stderr } = await run(['inspect', 'nothing.keras', '--verbose'], folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^phosphene: Expected a model file .*\nPhospheneError: [\s\S]*\n\s+at .*read\.ts[\s\S]*caused by Error: ENOENT/,
    );
  });

  it('loses nothing when the disk takes no more: what was there stays, no part of a rendering is left', async () => {
    const args = ['render', '--content', 'content', '--store', 'full', '--json', '--layers', 'dense_3'];
    await run([...args, '--units', '0-2'], folder);
    // 512 bytes a file: the system refuses the rest, as it does on a full disk.
    const limited = ['bash', '-c', 'trap "" XFSZ; ulimit -f 1; exec "$@"', 'bash'];
    const refused = await run([...args, '--units', '0-5'], folder, limited);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^phosphene: Expected a place that can be written at full, .*\(files may not be as large\)/m,
    );
    expect(refused.stderr).not.toMatch(/\n\s+at /);
    const left = (await readdir(join(folder, 'full'), { recursive: true })).filter((name) =>
      name.includes('.tmp-'),
    );
    expect(left).toEqual([]);
    const again = JSON.parse((await run([...args, '--units', '0-5'], folder)).stdout);
    expect(again.units).toEqual({ total: 6, fresh: 3, rendered: 3, failed: 0 });
  });
});
