import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HtmlValidate } from 'html-validate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickContent, run, start } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-search-'));
  await quickContent(folder, { layers: ['conv2d_1'] });
});
afterAll(() => rm(folder, { recursive: true }));

const args = (...more: string[]): string[] => [
  ...['search', 'mnist', '--units', '1,4', '--recipe', 'phosphene-ink', '--steps', '6'],
  ...[
    '--vary',
    'rate.value=0.02..0.4',
    '--vary',
    'transforms.0.pixels=1..4',
    '--vary',
    'start.deviation=0.01,.1',
  ],
  ...more,
];

interface Found {
  readonly trials: readonly {
    readonly trial: number;
    readonly score: number;
    readonly harshShare: number;
    readonly keepsLimits: boolean;
    readonly point: Readonly<Record<string, number>>;
  }[];
  readonly best: { readonly trial: number; readonly recipes: readonly { readonly recipe: object }[] };
}

const found = (stdout: string): Found => JSON.parse(stdout);

describe('phosphene search', () => {
  it('ranks what it drew, shows the best beside the base, and finds the same for the same seed', async () => {
    const limits = ['--max-harsh', '1', '--min-kept', '0'];
    const first = await run(args('--trials', '5', '--best', '2', '--json', ...limits), folder);
    expect(first.code).toBe(0);
    const document = found(first.stdout);
    expect(document).toEqual({
      model: 'mnist',
      out: 'search.html',
      seed: 0,
      engine: 'cpu',
      device: expect.any(String),
      seconds: expect.any(Number),
      ended: 'trials',
      limits: { maxHarsh: 1, minKept: 0 },
      fields: [
        {
          path: 'rate.value',
          values: { kind: 'range', low: 0.02, high: 0.4, whole: false, logarithmic: true },
        },
        {
          path: 'transforms.0.pixels',
          values: { kind: 'range', low: 1, high: 4, whole: true, logarithmic: false },
        },
        { path: 'start.deviation', values: { kind: 'choice', values: [0.01, 0.1] } },
      ],
      trials: expect.any(Array),
      best: { trial: expect.any(Number), recipes: [{ layers: ['conv2d_1'], recipe: expect.any(Object) }] },
    });
    expect(document.trials).toHaveLength(6);
    expect(document.trials.map(({ trial }) => trial).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(document.trials.find(({ trial }) => trial === 0)).toEqual({
      rank: expect.any(Number),
      trial: 0,
      score: expect.closeTo(1, 12),
      harshShare: expect.any(Number),
      keptUnderShifts: expect.any(Number),
      highFrequencyShare: expect.any(Number),
      seconds: expect.any(Number),
      keepsLimits: true,
      point: {},
    });
    const scores = document.trials.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(new Set(scores).size).toBe(6);

    const page = await readFile(join(folder, 'search.html'), 'utf8');
    // The base and two more, two units each.
    expect(page.match(/src="data:image\/webp;base64,/g)).toHaveLength(6);
    expect(page.match(/<td>as it is<\/td>/g)).toHaveLength(3);
    const validator = new HtmlValidate({ extends: ['html-validate:recommended', 'html-validate:a11y'] });
    const { results } = await validator.validateString(page, {
      rules: { 'long-title': 'off', 'prefer-native-element': 'off' },
    });
    expect(results).toEqual([]);

    // Another place to keep pictures, so that nothing is known: the same, the times apart.
    const again = await run(args('--trials', '5', '--json', '--store', 'other', ...limits), folder);
    const rest = ({ trials }: Found): unknown => trials.map((trial) => ({ ...trial, seconds: undefined }));
    expect(rest(found(again.stdout))).toEqual(rest(document));

    // What it found is a recipe that can be given, and makes those pictures.
    await writeFile(join(folder, 'best.json'), JSON.stringify(document.best.recipes[0]?.recipe));
    const rendered = await run(
      ['render', 'mnist', '--units', '1,4', '--recipe', './best.json', '--store', 'other', '--json'],
      folder,
    );
    expect(JSON.parse(rendered.stdout).units).toEqual({ total: 2, fresh: 2, rendered: 0, failed: 0 });
  });

  it('ranks those behind that break a limit, and shows people a table and the best', async () => {
    const json = found(
      (await run(args('--trials', '5', '--json', '--max-harsh', '1', '--min-kept', '0'), folder)).stdout,
    );
    const harsh = json.trials.map(({ harshShare }) => harshShare).sort((a, b) => a - b);
    const limit = (((harsh[2] ?? 0) + (harsh[3] ?? 0)) / 2).toString();
    const limited = found(
      (await run(args('--trials', '5', '--json', '--max-harsh', limit, '--min-kept', '0'), folder)).stdout,
    );
    expect(limited.trials.map(({ keepsLimits }) => keepsLimits)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    for (const { keepsLimits, harshShare } of limited.trials)
      expect(harshShare <= Number(limit)).toBe(keepsLimits);

    const { stdout, stderr, code } = await run(
      args('--trials', '5', '--max-harsh', limit, '--min-kept', '0'),
      folder,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^rank +trial +times base +limits +harsh +kept +fine +seconds +rate\.value +transforms\.0\.pixels +start\.deviation$/m,
    );
    expect(stdout).toMatch(/^ +6 +\d +[\d.]+ +broken/m);
    expect(stdout).toMatch(/"preset": "phosphene-ink"/);
    expect(stdout).toMatch(/^5 recipes tried beside the base; search\.html shows the best\.$/m);
    expect(stderr).toMatch(/^The base: harsh 0\.\d{3}, kept [\d.]+/m);
    expect(stderr).toMatch(
      /^Trial 5 of 5, rate\.value [\d.]+, transforms\.0\.pixels \d, start\.deviation 0\.1?0?1?: /m,
    );
  });

  it('renders the base alone where there is no time for more', async () => {
    const { code, stdout } = await run(args('--minutes', '0.0001', '--json', '--store', 'third'), folder);
    expect(code).toBe(0);
    expect(found(stdout)).toMatchObject({ ended: 'time', trials: [{ trial: 0 }], best: { trial: 0 } });
  });

  it('reports what is done when it is interrupted', async () => {
    const { child, ended } = start(args('--minutes', '5', '--json'), folder);
    let told = '';
    child.stderr?.on('data', (data: Buffer) => {
      told += data.toString();
      if (/^Trial 7, /m.test(told)) child.kill('SIGINT');
    });
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    const { trials, ...rest } = found(stdout);
    expect(rest).toMatchObject({ ended: 'interrupted' });
    expect(trials.length).toBeGreaterThanOrEqual(8);
  });

  it.each([
    [
      ['--vary', 'rate.vale=1,2'],
      /--vary rate\.vale: unknown field 'vale' of 'rate'; did you mean 'value'\?/,
    ],
    [['--vary', 'steps=1..2', '--max-harsh', '2'], /--max-harsh .*Expected a share from 0 to 1/],
    [['--vary', 'steps=1..2', '--minutes', '0'], /--minutes .*Expected a number above 0/],
    [['--vary', 'steps=1..2', '--recipe', 'tence-vgg16'], /the recipe 'tence-vgg16' is a table/],
    [[], /Expected a field to vary, found none/],
  ])('%j ends with 2 and one line', async (wrong, line) => {
    const ended = await run(['search', 'mnist', ...wrong], folder);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(line);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  });
});
