import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-bench-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('phosphene bench', () => {
  it('--json tells the machine, its best, the speed of each layer, and the memory that was taken', async () => {
    const args = [
      'bench',
      '--layers',
      'block1_conv1',
      '--size',
      '16',
      '--batch',
      '2',
      '--engine',
      'cpu',
      '--json',
    ];
    const { code, stdout } = await run(args, folder);
    expect(code).toBe(0);
    const { machine, best, layers, peakRssBytes } = JSON.parse(stdout);
    expect(machine).toEqual({ cpu: expect.any(String), cores: expect.any(Number) });
    expect(best.convGflops).toBeGreaterThan(0);
    expect(best.matmulGflops).toBeGreaterThan(0);
    expect(layers).toHaveLength(1);
    expect(layers[0]).toMatchObject({ layer: 'block1_conv1', engine: 'cpu', batch: 2, sizePx: 16 });
    // 27 weights at 256 places, forwards and back, a product and a sum each.
    const flops = 4 * 27 * 256;
    expect(layers[0].gflops).toBeCloseTo(flops / layers[0].msPerPictureStep / 1e6, 9);
    expect(layers[0].hostShare).toBeGreaterThan(0);
    expect(layers[0].hostShare).toBeLessThan(1);
    expect(peakRssBytes).toBeGreaterThan(1e8);
  });

  it('says which convolutions there are', async () => {
    const { code, stderr } = await run(['bench', '--layers', 'block1_conv9'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^phosphene: VGG16 has no convolution 'block1_conv9'.*block1_conv/);
  });
});
